//! The sentences that a command answers with.

use super::rig::{Origin, Rig};
use super::{Command, RefusalCode, Rejection, deploy};
use crate::release::StateName;

async fn said(rig: &Rig, command: Command) -> String {
    rig.command(command).await.unwrap().message
}

fn back_to(release: &str) -> Command {
    Command::Rollback { to: Some(release.to_owned()), quarantine: false, force: false }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_finds_its_work_done_says_so_in_a_whole_sentence() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    assert_eq!(said(&rig, Command::Unpin).await, "it is not pinned: nothing to do");
    assert_eq!(said(&rig, Command::Resume).await, "its client requests are not held: nothing to do");
    said(&rig, Command::Pause).await;
    let again = rig.command(Command::Pause).await.unwrap();
    assert!(
        again.noop && again.message == "its client requests are held already: nothing to do",
        "{again:?}"
    );
    let lasts = Some(std::time::Duration::from_hours(72));
    let pinned = said(&rig, Command::Pin { reason: None, lasts }).await;
    assert!(pinned.starts_with("blue is pinned for 3 days: "), "{pinned}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_the_history_lists_is_never_called_unknown() {
    let (blue, green) = (Origin::up().await, Origin::up().await);
    let rig = Rig::start(&blue, &green, "").await;
    rig.rewrite(|text| text.replace("bake_time = \"5m\"", "bake_time = \"0s\""));
    rig.reload().await.unwrap();
    for (version, id) in [("v1", "backend-1"), ("v2", "backend-2"), ("v3", "backend-3")] {
        rig.command(deploy(version)).await.unwrap();
        let serves = |service: &super::super::ServiceView| {
            service.state == StateName::Stable && service.release.as_ref().is_some_and(|last| last.id == id)
        };
        rig.until(id, serves).await;
    }
    let gone = rig.command(back_to("backend-1")).await.unwrap_err();
    let Rejection::Conflict { code: RefusalCode::NoRollback, why } = &gone else { panic!("{gone:?}") };
    assert!(why.contains("bring it up on blue, then `greenlight deploy backend --version v1`"), "{why}");
    let active = rig.command(back_to("backend-3")).await.unwrap_err();
    assert!(active.to_string().contains("has the traffic already"), "{active:?}");
    let unknown = rig.command(back_to("backend-9")).await.unwrap_err();
    assert_eq!(unknown, Rejection::UnknownRelease("backend-9".to_owned()));
    // A deploy gives the other color to the new version. The person hears it before, and again at an abort.
    let taken = Command::Deploy {
        image: None,
        version: Some("v4".to_owned()),
        force: false,
        auto_promote: Some(false),
    };
    let answer = said(&rig, taken).await;
    assert!(answer.contains("there is nothing to go back to, since blue no longer runs"), "{answer}");
    let aborted = said(&rig, Command::Abort).await;
    assert!(aborted.contains("no version to go back to, since blue was given to this release"), "{aborted}");
    let never = rig.command(back_to("backend-4")).await.unwrap_err();
    assert!(never.to_string().contains("ended as cancelled and never had the traffic"), "{never}");
    rig.stop().await;
}
