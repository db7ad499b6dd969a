//! Checks between the keys of a service whose endpoints are containers, and those of its health and webhooks.

use crate::config::walk::{Walk, join};
use crate::config::{Config, HookAction, Service, Tags, Upstream};
use crate::health::CheckKind;
use crate::model::ImageReference;
use crate::release::Trigger;

use super::key;

pub(super) fn check(walk: &mut Walk<'_>, config: &Config, service: &Service) {
    commands(walk, service);
    trigger(walk, service);
    probes(walk, service);
    tags(walk, config, service);
}

/// Refuses commands as hooks where greenlight starts no containers. A command runs in a container of the new
/// image.
fn commands(walk: &mut Walk<'_>, service: &Service) {
    let (needed, right) = match service.upstream {
        Upstream::Fixed { .. } => ("kind", "needs upstream.kind = \"docker\""),
        Upstream::Docker { follow: true, .. } => ("follow", "needs upstream.follow = false"),
        Upstream::Docker { follow: false, .. } => return,
    };
    let hooks = &service.hooks;
    let points = [
        ("pre_promote", &hooks.pre_promote),
        ("post_promote", &hooks.post_promote),
        ("on_revert", &hooks.on_revert),
    ];
    for (name, hook) in points {
        let path = key(service, &format!("hooks.{name}.command"));
        let needed = key(service, &format!("upstream.{needed}"));
        let is_command = hook.as_ref().is_some_and(|hook| matches!(hook.action, HookAction::Command(_)));
        if is_command && walk.sound(&[&path, &needed]) {
            let why = "it is run in a fresh container of the new image; use url here";
            walk.fault(&path, format!("{right}: {why}"));
        }
    }
}

/// Warns of a trigger that never acts.
fn trigger(walk: &mut Walk<'_>, service: &Service) {
    let Upstream::Docker { follow: false, .. } = service.upstream else { return };
    let path = key(service, "release.trigger");
    if service.policy.trigger == Trigger::OnHealthy && walk.sound(&[&path]) {
        walk.warn(
            &path,
            "has no effect where greenlight runs the containers: the other color comes up only in a release. \
             `deploy`, a webhook or upstream.poll_interval begins one; upstream.follow = true makes this key act",
        );
    }
}

/// Refuses and warns of probes that reach another process than the endpoint, or do not name a host.
fn probes(walk: &mut Walk<'_>, service: &Service) {
    let (port, network) = (key(service, "health.port"), key(service, "upstream.network"));
    if service.check.port.is_some() && walk.sound(&[&port, &network]) {
        match &service.upstream {
            Upstream::Docker { engine, .. } if engine.network == "host" => {
                walk.fault(
                    &port,
                    "can't be with upstream.network = \"host\": that port of the host belongs to one process at most, \
                     and each container would be judged by it; remove it, so that each is probed at its own port",
                );
            }
            Upstream::Fixed { addresses, .. } => {
                let host = |address: &String| address.rsplit_once(':').map(|(host, _)| host.to_owned());
                let blue: Vec<_> = addresses.blue.iter().filter_map(host).collect();
                if let Some(shared) = addresses.green.iter().filter_map(host).find(|host| blue.contains(host))
                {
                    walk.warn(
                        &port,
                        format!(
                            "is one port of {shared} for both colors: the probes of one are answered by the process \
                             of the other; give each color a host of its own, or probe the endpoints' own ports"
                        ),
                    );
                }
            }
            Upstream::Docker { .. } => {}
        }
    }
    let hosts = key(service, "hosts");
    if let CheckKind::Http { host, .. } = &service.check.kind
        && host.is_empty()
        && !service.hosts.is_empty()
        && walk.sound(&[&hosts, &key(service, "health.host")])
    {
        walk.warn(
            &hosts,
            "has no exact host, so probes name the endpoint's address in Host: health.host = \"app.example.org\" says \
             which name the application knows",
        );
    }
}

/// Warns of tags that greenlight moves itself and that would count as somebody's push.
fn tags(walk: &mut Walk<'_>, config: &Config, service: &Service) {
    let Upstream::Docker { engine, image, follow, .. } = &service.upstream else { return };
    let Some(Tags { stable, previous }) = &engine.tags else { return };
    let table = key(service, "upstream.tags");
    if *follow && walk.sound(&[&table]) {
        walk.warn(
            &table,
            "needs a version that is a digest: with follow = true only a push that names one has it, and else the \
             alarm tags-failed is raised",
        );
    }
    let image = image.as_deref().and_then(|image| ImageReference::parse(image).ok());
    let released = image.as_ref().and_then(|image| image.tag.clone());
    for (name, tag) in [("stable", stable), ("previous", previous)] {
        let path = join(&table, name);
        if tag.is_some() && *tag == released && walk.sound(&[&path]) {
            walk.warn(
                &path,
                "is the tag of upstream.image too: greenlight would move the tag that it releases, and overwrite a \
                 push that came meanwhile; choose another tag",
            );
        }
    }
    let own: Vec<&str> = [stable, previous].into_iter().flatten().map(String::as_str).collect();
    for (index, webhook) in config.webhooks.iter().enumerate() {
        if webhook.service != service.name.as_str() {
            continue;
        }
        for (at, pattern) in webhook.allow.iter().enumerate() {
            let path = format!("webhooks[{index}].allow[{at}]");
            let Some(tag) = own.iter().find(|tag| takes(pattern, tag)).filter(|_| walk.sound(&[&path]))
            else {
                continue;
            };
            let name = image.as_ref().map_or("org/app", |image| image.name());
            walk.warn(
                &path,
                format!(
                    "takes the tag \"{tag}\", too, which greenlight moves itself (upstream.tags): name the tag that \
                     is pushed, such as \"{name}:prod\""
                ),
            );
        }
    }
}

/// Whether a pattern of an allow list takes a tag. `*` stands for any characters but `/`.
fn takes(pattern: &str, tag: &str) -> bool {
    let Some((_, wanted)) = pattern.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')) else {
        return true;
    };
    let mut parts = wanted.split('*');
    let Some(mut rest) = parts.next().and_then(|first| tag.strip_prefix(first)) else { return false };
    if !wanted.contains('*') {
        return rest.is_empty();
    }
    let mut last = "";
    for part in parts {
        last = part;
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || tag.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::takes;

    #[test]
    fn a_pattern_takes_the_tags_that_it_names() {
        for pattern in
            ["org/app", "h:5000/org/app", "*", "org/app:stable", "org/app:*", "org/app:s*e", "a:*able"]
        {
            assert!(takes(pattern, "stable"), "{pattern}");
        }
        for pattern in ["org/app:prod", "org/app:v*", "h:5000/org/app:prod", "a:stable*x", "a:*stabl"] {
            assert!(!takes(pattern, "stable"), "{pattern}");
        }
    }
}
