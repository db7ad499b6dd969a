//! Removes values that `greenlight check` would refuse. Only images and mounts get a note. A bad path of a
//! health check becomes `/`.

use super::plan::Service;

pub(crate) fn sound(service: &mut Service) {
    let notes = &mut service.notes;
    if service.image.as_deref().is_some_and(|image| !is_image(image)) {
        service.image = None;
        notes.push("image: it is no image's name".to_owned());
    }
    if service.image.is_none() {
        notes.push(format!("image: {}:latest is a guess", service.name));
        service.image = Some(format!("{}:latest", service.name));
    }
    service.mounts.retain(|mount| {
        let keep = is_mount(mount);
        if !keep {
            notes.push(format!("volumes: {mount} is no SOURCE:TARGET"));
        }
        keep
    });
    drop_unless(&mut service.stop_signal, |signal| {
        signal.len() > 3
            && signal
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-'))
    });
    drop_unless(&mut service.port, |port| *port > 0);
    drop_unless(&mut service.cpus, |cores| *cores <= 4096.0);
    drop_unless(&mut service.check.host, |host| {
        host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
            && host
                .split('.')
                .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
    });
    drop_unless(&mut service.check.port, |port| *port > 0);
    if let Some(path) = &mut service.check.path
        && !(path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && b != b'#'))
    {
        "/".clone_into(path);
    }
}

fn drop_unless<T>(value: &mut Option<T>, fits: impl Fn(&T) -> bool) {
    if value.as_ref().is_some_and(|value| !fits(value)) {
        *value = None;
    }
}

fn is_image(image: &str) -> bool {
    !image.is_empty()
        && image.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | ':' | '@'))
}

fn is_mount(mount: &str) -> bool {
    let parts: Vec<&str> = mount.split(':').collect();
    (2..=3).contains(&parts.len()) && !parts[0].is_empty() && parts[1].starts_with('/')
}
