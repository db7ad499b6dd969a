//! Messages out: what is told, by whom it is signed, and that nothing waits for it.

use std::time::Duration;

use serde_json::json;

use crate::kit::{SECRET, Secrets, TOKEN, dockerhub, post, quick, send, sign, until};
use crate::stub::{Answer, Received, Stub};
use greenlight_testkit::house::{House, PATIENCE, SERVICE, START, Setup, address};

fn notifiers(secrets: &Secrets, slack: &Stub, webhook: &Stub) -> String {
    let slack = secrets.file("slack", &slack.url("/services/T0/B0/XYZSECRET"));
    let url = secrets.file("url", &webhook.url("/news"));
    let secret = secrets.file("secret", SECRET);
    format!(
        "[[notifiers]]\nkind = \"slack\"\nurl = {slack}\n\
         [[notifiers]]\nkind = \"webhook\"\nurl = {url}\nsecret = {secret}\n\
         events = [\"promoted\", \"succeeded\", \"alarm\"]\n"
    )
}

fn header(message: &Received) -> String {
    message.json()["blocks"][0]["text"]["text"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_is_told_to_slack_and_to_a_webhook() {
    let (secrets, hooks) = (Secrets::new(), address());
    let (mut slack, mut webhook) = (Stub::start().await, Stub::start().await);
    let token = secrets.file("token", TOKEN);
    let more = format!(
        "{}[hooks]\nbind = \"{hooks}\"\n[[webhooks]]\nname = \"hub\"\nkind = \"dockerhub\"\n\
         service = \"{SERVICE}\"\ntoken = {token}\nallow = [\"org/app\"]\n",
        notifiers(&secrets, &slack, &webhook)
    );
    let setup = Setup { more, ..quick() };
    let house = House::open(&setup).await;
    let body = dockerhub("org/app", "prod", 1_700_000_000);
    assert_eq!(send(hooks, &post(&format!("/hooks/hub/{TOKEN}"), &[], &body)).await.status, 202);
    let version = "prod@2023-11-14T22:13:20Z";
    let release = until(&house, version, "succeeded").await;

    let started = slack.next(PATIENCE).await;
    assert_eq!(started.path, "/services/T0/B0/XYZSECRET");
    assert_eq!(header(&started), format!(":hourglass_flowing_sand: {SERVICE}: release of {version} started"));
    assert!(started.json().to_string().contains("greenlight abort backend"));
    assert_eq!(
        header(&slack.next(PATIENCE).await),
        format!(":arrow_right: {SERVICE}: {version} has the traffic")
    );
    let succeeded = slack.next(PATIENCE).await;
    assert_eq!(header(&succeeded), format!(":white_check_mark: {SERVICE}: {version} succeeded"));
    let text = succeeded.json().to_string();
    for part in ["Undo: `greenlight rollback backend`", "*Duration*", &release.id, "no bake is configured"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }

    // Only what it asked for, signed as our own webhooks in are, and with a name by which it is known
    // if it comes again.
    let promoted = webhook.next(PATIENCE).await;
    assert_eq!(promoted.json()["event"], "promoted");
    let last = webhook.next(PATIENCE).await;
    let news = last.json();
    assert_eq!((&news["event"], &news["service"]), (&json!("succeeded"), &json!(SERVICE)));
    assert_eq!(news["release"]["version"], version);
    assert_eq!(news["command"]["command"], "greenlight rollback backend");
    let at: u64 = last.field("x-greenlight-timestamp").unwrap().parse().unwrap();
    assert_eq!(last.field("x-greenlight-signature").unwrap(), sign(SECRET, at, &last.body));
    assert_eq!(last.field("x-greenlight-delivery").unwrap(), format!("{}/succeeded", release.id));
    assert!(webhook.rest().is_empty() && slack.rest().is_empty());
    let log = std::fs::read_to_string(&house.door.log).unwrap();
    assert!(!log.contains("XYZSECRET") && !log.contains(SECRET), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_waits_for_a_receiver_and_what_failed_is_told_again() {
    let secrets = Secrets::new();
    let (mut slack, mut webhook) = (Stub::start().await, Stub::start().await);
    // One never answers, the other refuses at first.
    slack.answers(Answer::Never);
    webhook.answers(Answer::Status(500));
    let house = House::open(&Setup { more: notifiers(&secrets, &slack, &webhook), ..quick() }).await;
    let begun = greenlight::clock::instant();
    house.admin().deploy(SERVICE, "v2", true).await.unwrap();
    until(&house, "v2", "succeeded").await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(8), "a release of a second took {took:?}");
    slack.next(PATIENCE).await;

    let first = webhook.next(PATIENCE).await;
    assert_eq!(first.json()["event"], "promoted");
    webhook.answers(Answer::Status(204));
    let again = loop {
        let next = webhook.next(PATIENCE).await;
        if next.json()["event"] == "succeeded" {
            break None;
        }
        if next.field("x-greenlight-delivery") == first.field("x-greenlight-delivery") {
            break Some(next);
        }
    };
    assert_eq!(again.expect("the news that was refused comes again").body, first.body);
    assert_eq!(webhook.next(PATIENCE).await.json()["event"], "succeeded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_release_is_told_after_a_kill() {
    let secrets = Secrets::new();
    let (mut slack, webhook) = (Stub::start().await, Stub::start().await);
    slack.answers(Answer::Status(503));
    let mut house = House::open(&Setup { more: notifiers(&secrets, &slack, &webhook), ..quick() }).await;
    let release = house.admin().deploy(SERVICE, "v2", true).await.unwrap();
    until(&house, "v2", "succeeded").await;
    house.door.kill().await.unwrap();
    slack.rest();
    slack.answers(Answer::Status(200));
    house.start_again();
    house.door.ready(START).await.unwrap();
    let told = slack.next(PATIENCE).await;
    assert_eq!(header(&told), format!(":white_check_mark: {SERVICE}: v2 succeeded"));
    assert!(told.json().to_string().contains(&release));

    // Told and crossed out: after another start it is not told once more. The next news are the next.
    let written = async {
        loop {
            let store = house.door.config.parent().unwrap().join("store");
            if crate::kit::holds(&store, "\"untold\":[]").is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, written).await.expect("it is crossed out");
    house.door.terminate(Duration::from_secs(20)).await.unwrap();
    slack.rest();
    house.start_again();
    house.door.ready(START).await.unwrap();
    house.admin().deploy(SERVICE, "v3", true).await.unwrap();
    assert_eq!(
        header(&slack.next(PATIENCE).await),
        format!(":hourglass_flowing_sand: {SERVICE}: release of v3 started")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_changes_notifiers() {
    let secrets = Secrets::new();
    let (slack, webhook) = (Stub::start().await, Stub::start().await);
    let mut other = Stub::start().await;
    let house = House::open(&Setup { more: notifiers(&secrets, &slack, &webhook), ..quick() }).await;
    let url = secrets.file("other", &other.url("/"));
    let text = std::fs::read_to_string(&house.door.config).unwrap();
    let text = format!("{text}[[notifiers]]\nkind = \"webhook\"\nurl = {url}\nevents = [\"succeeded\"]\n");
    std::fs::write(&house.door.config, text).unwrap();
    let answer = house.admin().ask("POST", "/v1/reload", Some(&json!({}))).await.unwrap();
    let report: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(report["applied"], json!(["notifiers[2]"]), "{report}");
    house.admin().deploy(SERVICE, "v2", true).await.unwrap();
    assert_eq!(other.next(PATIENCE).await.json()["event"], "succeeded");
}
