//! The command `greenlight import`.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::{Imported, Source, Variables, env_lines};
use crate::cli::import;
use crate::config;

use crate::cli::exit::Exit;
use crate::cli::fault::Fault;
use crate::cli::output::{complain, printable, say};

/// The largest file that `import` reads, in bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Print a configuration made from a compose file, or from the old blue/green script's environment
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Reads compose and Docker Cloud stack files with dockercloud/haproxy or nginx-proxy; services that are blue and
green of one (by name, host or label) become one service. Without a FILE it reads the script's variables:
DOCKERHUB_USER, DOCKERHUB_PASS, DOCKERCLOUD_NAMESPACE, BLUE_INSTANCE, GREEN_INSTANCE, BLUE_URL, GREEN_URL,
TARGET_NUM_CONTAINERS. What has no counterpart is named in a comment. No secret is printed.

Examples:
  greenlight import docker-compose.yml > greenlight.toml
  greenlight import docker-compose.yml --secrets /etc/greenlight > greenlight.toml
  greenlight import --env-file script.env > greenlight.toml")]
pub(crate) struct Args {
    /// A compose file
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Take variables from this file; they go before those of the environment [default for a compose file: .env beside it]
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Let compose go on starting the containers, and follow them
    #[arg(long, requires = "file")]
    follow: bool,
    /// Write what may be secrets into env files in this folder, readable by you alone
    #[arg(long, value_name = "FOLDER", requires = "file")]
    secrets: Option<PathBuf>,
}

pub(crate) fn import(args: &Args) -> Exit {
    match run(args) {
        Ok(exit) => exit,
        Err(fault) => fault.report(crate::cli::output::Format::Text),
    }
}

fn run(args: &Args) -> Result<Exit, Fault> {
    let variables = variables(args)?;
    let imported = match &args.file {
        Some(file) => from_compose(args, file, &variables)?,
        None => import::script(&variables).map_err(|fault| Fault::Usage(fault.to_string()))?,
    };
    if let Some(folder) = &args.secrets {
        keep(folder, &imported)?;
    }
    say(imported.config.trim_end());
    // The printed configuration has to load. If it does not, the person has to see that at once.
    match config::parse(&imported.config, Path::new("")) {
        Ok(_) => Ok(Exit::Done),
        Err(faults) => {
            complain("greenlight: what was printed does not pass `greenlight check` yet:");
            complain(config::render_faults(Path::new("greenlight.toml"), &faults.0).trim_end());
            Ok(Exit::Usage)
        }
    }
}

fn from_compose(args: &Args, file: &Path, variables: &Variables) -> Result<Imported, Fault> {
    let text = read(file)?;
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = whole(file).parent().unwrap_or(Path::new("/")).display().to_string();
    let secrets = args.secrets.as_deref().map(|folder| whole(folder).display().to_string());
    let name = printable(&file.file_name().unwrap_or_default().to_string_lossy());
    let source = Source {
        name: &name,
        text: &text,
        folder: folder.trim_end_matches('/'),
        variables,
        follow: args.follow,
        secrets: secrets.as_deref().map(|folder| folder.trim_end_matches('/')),
    };
    import::compose(&source).map_err(|fault| Fault::Usage(format!("{}: {fault}", file.display())))
}

/// The variables of the environment and of an env file. A given env file goes before the environment.
fn variables(args: &Args) -> Result<Variables, Fault> {
    let mut variables: Variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let beside = args.file.as_ref().map(|file| file.with_file_name(".env")).filter(|file| file.is_file());
    match (&args.env_file, beside) {
        (Some(file), _) => variables.extend(env_lines(&read(file)?)),
        // This is the order of compose. A variable of the environment goes before one of `.env`.
        (None, Some(file)) => {
            for (name, value) in env_lines(&read(&file)?) {
                variables.entry(name).or_insert(value);
            }
        }
        (None, None) => {}
    }
    Ok(variables)
}

fn read(file: &Path) -> Result<String, Fault> {
    let unreadable = |why: String| Fault::Usage(format!("{} can't be read: {why}", file.display()));
    let size = std::fs::metadata(file).map_err(|why| unreadable(why.to_string()))?.len();
    if size > FILE_BYTES_MAX {
        return Err(unreadable(format!("it is larger than {FILE_BYTES_MAX} bytes")));
    }
    std::fs::read_to_string(file).map_err(|why| unreadable(why.to_string()))
}

/// Writes the env files. A file that exists already stays as it is, and a message says so.
fn keep(folder: &Path, imported: &Imported) -> Result<(), Fault> {
    for (name, text) in &imported.secrets {
        let path = folder.join(name);
        let written = std::fs::File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        match written {
            Ok(()) => complain(&format!("greenlight: wrote {}", path.display())),
            Err(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {
                complain(&format!("greenlight: {} is there already and was left as it is", path.display()));
            }
            Err(why) => return Err(Fault::Usage(format!("{} can't be written: {why}", path.display()))),
        }
    }
    Ok(())
}
