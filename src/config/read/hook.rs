//! Reads `[services.NAME.hooks]`.

use std::time::Duration;

use crate::config::kind::{duration, some, text};
use crate::config::name::url;
use crate::config::section::Section;
use crate::config::{Hook, HookAction, HookPoints};

const TIMEOUT: Duration = Duration::from_secs(30);
const TIMEOUT_MOST: Duration = Duration::from_hours(1);

pub(super) fn points(section: &mut Section<'_, '_>) -> HookPoints {
    HookPoints {
        pre_promote: section.optional_section("pre_promote", hook).flatten(),
        post_promote: section.optional_section("post_promote", hook).flatten(),
        on_revert: section.optional_section("on_revert", hook).flatten(),
    }
}

fn hook(section: &mut Section<'_, '_>) -> Option<Hook> {
    const RIGHT: &str = "{ url = \"https://...\" } or { command = [\"app\", \"smoke\"] }";
    let url = section.optional("url", url(&["https", "http"]));
    let command = section.optional("command", some(text("a text in quotes"), "[\"app\", \"smoke\"]"));
    let timeout = section.value("timeout", duration(Duration::from_millis(1)..=TIMEOUT_MOST), TIMEOUT);
    let path = section.path.clone();
    let action = match (url, command) {
        (Some(_), Some(_)) => {
            section.walk.fault(&path, format!("has both url and command: must be {RIGHT}"));
            None
        }
        (Some(url), None) => Some(HookAction::Url(url)),
        (None, Some(command)) => Some(HookAction::Command(command)),
        (None, None) => {
            if section.walk.sound(&[&path]) {
                section.walk.fault(&path, format!("has neither url nor command: must be {RIGHT}"));
            }
            None
        }
    };
    action.map(|action| Hook { action, timeout })
}
