//! Turns a file on disk into a configuration.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use toml::de::DeTable;

use super::docker_host::DockerHost;
use super::fault::{Fault, Faults, Severity};
use super::section::Section;
use super::walk::{Reference, Walk};
use super::{Config, content, cross, read, surroundings};

/// The largest configuration file, in bytes.
pub const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// The least that a configuration needs, shown to a person whose file is empty.
const LEAST: &str = r#"
[[listeners]]
bind = "0.0.0.0:80"

[services.shop]
hosts = ["shop.example.org"]

[services.shop.upstream]
blue = ["127.0.0.1:8001"]
green = ["127.0.0.1:8002"]
"#;

/// How many syntax errors are reported. After the first few, further ones help no reader.
const SYNTAX_ERRORS_MAX: usize = 20;

/// A valid configuration and the warnings about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    pub warnings: Vec<Fault>,
}

/// Reads and validates a file, checks that the secrets and files that it names can be read, and reads the
/// contents that are kept ([`super::content`]).
///
/// # Errors
/// Every fault of the file.
pub fn load(path: &Path) -> Result<Loaded, Faults> {
    let text = text(path).map_err(|message| Faults(vec![whole(message)]))?;
    // "greenlight.toml" has the parent "", which is the current folder.
    let base = path.parent().unwrap_or(Path::new(""));
    validate(&text, base, true)
}

/// Validates a text. Relative paths in it are resolved from `base`. Touches no file.
///
/// # Errors
/// Every fault of the text.
pub fn parse(text: &str, base: &Path) -> Result<Loaded, Faults> {
    validate(text, base, false)
}

/// A fault that concerns the file as a whole.
fn whole(message: String) -> Fault {
    Fault { severity: Severity::Fault, key: String::new(), line: None, value: None, message }
}

fn text(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("there is no file {shown}: name another, as an argument or by -c")
        }
        std::io::ErrorKind::IsADirectory => format!("{shown} is a folder: must be a file"),
        _ => format!("{shown} can't be read: {error}"),
    };
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("{shown} is larger than {FILE_BYTES_MAX} bytes, which no configuration needs"));
    }
    let valid_bytes = match std::str::from_utf8(&bytes) {
        Ok(_) => bytes.len(),
        Err(error) => error.valid_up_to(),
    };
    let line = bytes.iter().take(valid_bytes).filter(|byte| **byte == b'\n').count() + 1;
    String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8 text (line {line}): save it as UTF-8"))
}

fn validate(text: &str, base: &Path, on_disk: bool) -> Result<Loaded, Faults> {
    if text.len() as u64 > FILE_BYTES_MAX {
        let message = format!("the file is larger than {FILE_BYTES_MAX} bytes, which no configuration needs");
        return Err(Faults(vec![whole(message)]));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut walk = Walk::new(text, base);
    if on_disk {
        walk.docker_host = DockerHost::of_environment();
    }
    let (tree, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(Faults(syntax(&walk, text, &errors)));
    }
    if tree.get_ref().is_empty() {
        let message = format!("the file is empty; the least that works:\n{LEAST}");
        return Err(Faults(vec![whole(message)]));
    }
    let mut root = Section::root(&mut walk, tree.get_ref());
    let mut config = read::config(&mut root);
    root.finish();
    walk.check_unknown();
    cross::check(&mut walk, &config);
    if on_disk {
        references(&mut walk);
        content::read(&mut walk, &mut config);
        surroundings::check(&mut walk, &config);
    }
    let (faults, warnings): (Vec<_>, Vec<_>) =
        std::mem::take(&mut walk.faults).into_iter().partition(|fault| fault.severity == Severity::Fault);
    if faults.is_empty() {
        config.effective = std::mem::take(&mut walk.effective);
        return Ok(Loaded { config, warnings });
    }
    let mut all = faults;
    all.sort_by_key(|fault| fault.line);
    Err(Faults(all))
}

/// The errors of the TOML parser, without the text of the line, because a secret may be in it.
fn syntax(walk: &Walk<'_>, text: &str, errors: &[toml::de::Error]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = errors
        .iter()
        .take(SYNTAX_ERRORS_MAX)
        .map(|error| {
            let line = error.span().map(|span| walk.line(span.start));
            let mut message = format!("this is not TOML: {}", error.message().trim());
            // The span of a duplicate key covers only the key. Any other span may hold a value.
            if error.message() == "duplicate key"
                && let Some(key) = error.span().and_then(|span| text.get(span))
            {
                message = format!("this is not TOML: the key \"{key}\" is here for the second time");
            }
            Fault { line, ..whole(message) }
        })
        .collect();
    faults.sort_by_key(|fault| fault.line);
    faults.dedup();
    if errors.len() > SYNTAX_ERRORS_MAX {
        faults.push(whole(format!("and {} more", errors.len() - SYNTAX_ERRORS_MAX)));
    }
    faults
}

/// Checks that everything the configuration refers to can be read. A fault names the place, never the
/// content.
fn references(walk: &mut Walk<'_>) {
    for (path, reference) in std::mem::take(&mut walk.references) {
        let fault = match reference {
            Reference::Secret(secret) => secret.read().err().map(|fault| fault.to_string()),
            Reference::File(file) => match File::open(&file).and_then(|file| file.metadata()) {
                Ok(found) if found.is_file() => None,
                Ok(_) => Some(format!("{} is not a file", file.display())),
                Err(error) => Some(format!("{} can't be read: {error}", file.display())),
            },
        };
        if let Some(message) = fault
            && walk.sound(&[&path])
        {
            walk.fault(&path, message);
        }
    }
}
