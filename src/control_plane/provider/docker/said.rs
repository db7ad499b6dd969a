//! The meaning of an engine's error text. Engines wrap the cause in the names of the steps on the way to it,
//! as `step: step: cause`. A step may name an image, a URL, a program or a network, and such a name may hold
//! any word. So the text is read in its parts, and what is quoted is left out.

use super::DockerFault;
use super::fault::Doing;

/// An error text in lower case, without quoted names and addresses, in its parts.
struct Parts(Vec<String>);

impl Parts {
    fn of(message: &str) -> Self {
        let mut plain = String::new();
        let mut quoted = false;
        for word in message.to_ascii_lowercase().split_inclusive(char::is_whitespace) {
            let address = !quoted && word.contains("://");
            for letter in word.chars() {
                if letter == '"' {
                    quoted = !quoted;
                } else if !quoted && (!address || matches!(letter, '\n' | ' ')) {
                    plain.push(letter);
                }
            }
            // The colon after an address separates it from the next step.
            if address && word.trim_end().ends_with(':') {
                plain.insert(plain.trim_end().len(), ':');
            }
        }
        let ends = |letter: char| matches!(letter, '\n' | ';' | ',' | '(' | ')');
        let parts = plain
            .split(ends)
            .flat_map(|line| line.split(": "))
            .map(|part| part.trim_matches([' ', ':', '.']));
        Self(parts.filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }

    fn any(&self, is: impl Fn(&str) -> bool) -> bool {
        self.0.iter().any(|part| is(part))
    }

    fn one_is(&self, texts: &[&str]) -> bool {
        self.any(|part| texts.contains(&part))
    }

    fn one_ends(&self, texts: &[&str]) -> bool {
        self.any(|part| texts.iter().any(|text| part.ends_with(text)))
    }

    fn one_begins(&self, texts: &[&str]) -> bool {
        self.any(|part| texts.iter().any(|text| part.starts_with(text)))
    }

    fn one_has_word(&self, words: &[&str]) -> bool {
        self.any(|part| part.split(' ').any(|word| words.contains(&word)))
    }

    /// The status that a server answered with, in one of the ways in which engines write it: `500 Internal
    /// Server Error`, `unexpected HTTP status: 504 ...`, `error parsing HTTP 520 response body`.
    fn status(&self) -> Option<u16> {
        self.0.iter().find_map(|part| {
            let words: Vec<&str> = part.split(' ').collect();
            words.iter().enumerate().find_map(|(at, word)| {
                let named = at == 0 || matches!(words[at - 1], "http" | "status" | "code");
                let status = word.parse::<u16>().ok().filter(|status| (400..600).contains(status))?;
                named.then_some(status)
            })
        })
    }
}

/// Turns the engine's text into a fault with the next step.
pub(super) fn said(engine: &str, doing: Doing<'_>, status: Option<u16>, message: &str) -> DockerFault {
    let message = message.trim();
    let parts = Parts::of(message);
    if parts.one_ends(&["no space left on device", "disk quota exceeded"]) {
        return DockerFault::Refused(format!(
            "the disk of the engine {engine} is full: free some space there (`docker system df` tells what takes it, \
             `docker image prune` frees unused images), then deploy again ({message})"
        ));
    }
    let known = match doing {
        Doing::Image(image) => return said_of_image(engine, image, status, &parts, message),
        Doing::Container(name) => said_of_container(engine, name, &parts, message),
        Doing::Other(_) => None,
    };
    known.unwrap_or_else(|| {
        if is_in_trouble(status, &parts) {
            DockerFault::Away { engine: engine.to_owned(), why: message.to_owned() }
        } else {
            DockerFault::Refused(format!("{}: {message}", doing.phrase(engine)))
        }
    })
}

/// Whether the engine or its runtime is starting, stopping or overloaded.
fn is_in_trouble(status: Option<u16>, parts: &Parts) -> bool {
    matches!(status, Some(429 | 502..=504))
        || (status.is_none_or(|status| status >= 500)
            && parts.one_ends(&[
                "transport is closing",
                "connection refused",
                "connection reset by peer",
                "context deadline exceeded",
                "context canceled",
                "connect timeout",
                "i/o timeout",
                "broken pipe",
                "unexpected eof",
                "eof",
            ]))
}

fn said_of_container(engine: &str, name: &str, parts: &Parts, message: &str) -> Option<DockerFault> {
    let refused = |text: String| Some(DockerFault::Refused(text));
    let program = parts.one_begins(&["exec"]);
    if parts.one_ends(&["executable file not found in $path", "no command specified", "exec format error"])
        || (program && parts.one_ends(&["no such file or directory", "permission denied", "is a directory"]))
    {
        return refused(format!(
            "container {name} can't run its command: the image holds no such program, or none for this machine \
             ({message})"
        ));
    }
    if parts.one_begins(&["no such image"]) {
        return Some(DockerFault::NoImage { engine: engine.to_owned(), container: name.to_owned() });
    }
    if parts.one_ends(&["port is already allocated", "address already in use"]) {
        return refused(format!("container {name}: its port is taken on the engine {engine}: {message}"));
    }
    let no_network = |part: &str| {
        part.starts_with("no such network") || (part.starts_with("network ") && part.ends_with(" not found"))
    };
    if parts.any(no_network) {
        return refused(format!(
            "container {name}: the network does not exist on the engine {engine}: create it, or correct \
             upstream.network ({message})"
        ));
    }
    if parts.one_has_word(&["mount", "mounts", "mounting", "mountpoint"])
        || parts.one_begins(&["bind source path does not exist", "invalid volume specification"])
    {
        return refused(format!("container {name}: upstream.mounts does not fit: {message}"));
    }
    None
}

/// Only a clear no is final: no permission, no such image, no variant of it, or a name that can't be one. The
/// codes are those of the OCI distribution specification 1.1, "Error Codes". Everything else may pass, and
/// the image is asked for again until `pull_timeout`.
fn said_of_image(
    engine: &str,
    image: &str,
    status: Option<u16>,
    parts: &Parts,
    message: &str,
) -> DockerFault {
    let away = || DockerFault::RegistryAway { image: image.to_owned(), why: message.to_owned() };
    if parts.one_begins(&["no matching manifest", "no match for platform", "image operating system"])
        || parts.one_ends(&["does not match the specified platform", "cannot be used on this platform"])
    {
        return DockerFault::Refused(format!(
            "image {image} has no variant for the engine {engine}'s kind of machine: build it for that one ({message})"
        ));
    }
    // The status of the registry's own answer says more than any word of a page that came with it.
    let answered = parts.status();
    if parts.one_is(&["toomanyrequests"])
        || answered.is_some_and(|status| !matches!(status, 400 | 401 | 403 | 404 | 405 | 410))
    {
        return away();
    }
    // The Docker Hub says "denied" also for a repository that does not exist.
    let no_leave = parts.one_is(&[
        "unauthorized",
        "denied",
        "forbidden",
        "pull access denied",
        "insufficient_scope",
        "no basic auth credentials",
        "authentication required",
        "authentication is required",
        "authorization failed",
    ]) || parts.one_begins(&["pull access denied", "incorrect username or password"])
        || parts.one_ends(&["access to the resource is denied", "incorrect username or password"]);
    if no_leave || matches!(answered.or(status), Some(401 | 403)) {
        return DockerFault::Refused(format!(
            "the registry does not let us read {image}: check the user and password (upstream.registry_auth \
             for the registry of upstream.image, else `docker login` for the user that runs greenlight), and that the \
             repository exists ({message})"
        ));
    }
    let missing = |part: &str| {
        let of = ["manifest ", "repository ", "image ", "tag ", "name ", "artifact ", "project "];
        part == "not found" || (part.ends_with(" not found") && of.iter().any(|of| part.starts_with(of)))
    };
    let unknown = ["manifest unknown", "manifest_unknown", "name unknown", "name_unknown"];
    if parts.any(missing)
        || parts.one_is(&unknown)
        || parts.one_begins(&["repository name not known"])
        || matches!(answered.or(status), Some(404 | 410))
    {
        return DockerFault::Refused(format!(
            "there is no image {image} in its registry: check the name and the tag, or push it, then deploy again \
             ({message})"
        ));
    }
    // The engine itself can't read the request. No registry was asked.
    if status == Some(400) && !is_in_trouble(None, parts) {
        return DockerFault::Refused(format!("{}: {message}", Doing::Image(image).phrase(engine)));
    }
    away()
}
