//! `Idempotency-Key`, tested with real requests.

use std::sync::Condvar;

use super::*;

/// Holds the loop's answers until the test lets them go.
#[derive(Default)]
struct Held {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Held {
    fn wait(&self) {
        drop(self.opened.wait_while(self.open.lock().unwrap(), |open| !*open).unwrap());
    }

    fn let_go(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}

fn deploy(api: &Api, key: &str, version: &str) -> RequestBuilder {
    let request = api.request(Method::POST, "/v1/services/shop/releases");
    request.header("idempotency-key", key).json(&json!({"version": version}))
}

async fn until_seen(api: &Api, count: usize) {
    let seen = async {
        while api.seen().len() < count {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(10), seen).await.expect("the loop gets the command");
}

#[tokio::test]
async fn a_change_sent_again_is_made_once() {
    let api = Api::answering(|_| Ok(Done { accepted: true, ..done("on its way") }));
    let first = deploy(&api, "k-1", "v2").send().await.unwrap();
    assert!(first.headers().get("idempotency-replayed").is_none());
    assert_eq!(first.status(), 202);
    let first = first.text().await.unwrap();
    let again = deploy(&api, "k-1", "v2").send().await.unwrap();
    assert_eq!(again.status(), 202);
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(again.headers()["location"], "/v1/releases/shop-7");
    assert_eq!(again.headers()["content-type"], "application/json");
    assert_eq!(again.text().await.unwrap(), first);
    assert_eq!(api.seen().len(), 1);

    problem(deploy(&api, "k-1", "v3").send().await.unwrap(), 422, "idempotency-key-reused").await;
    let condition = deploy(&api, "k-1", "v2").header("if-match", "\"3\"").send().await.unwrap();
    problem(condition, 422, "idempotency-key-reused").await;
    // The same key of another client, or for another path, is another key.
    deploy(&api, "k-1", "v2").header("x-greenlight-actor", "bob").send().await.unwrap();
    api.request(Method::POST, "/v1/services/shop/abort")
        .header("idempotency-key", "k-1")
        .send()
        .await
        .unwrap();
    assert_eq!(api.seen().len(), 3);
}

#[tokio::test]
async fn requests_with_a_running_key_wait_for_it() {
    let held = Arc::new(Held::default());
    let holder = Arc::clone(&held);
    let api = Api::answering(move |_| {
        holder.wait();
        Ok(done("once"))
    });
    let first = tokio::spawn(deploy(&api, "k-2", "v2").send());
    until_seen(&api, 1).await;
    let others: Vec<_> = (0..8).map(|_| tokio::spawn(deploy(&api, "k-2", "v2").send())).collect();
    held.let_go();
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    for other in others {
        let other = other.await.unwrap().unwrap();
        assert_eq!(other.headers()["idempotency-replayed"], "true");
        assert_eq!(other.json::<Value>().await.unwrap()["message"], "once");
    }
    assert_eq!(api.seen().len(), 1);
}

#[tokio::test]
async fn it_is_carried_out_although_the_client_hangs_up() {
    let held = Arc::new(Held::default());
    let holder = Arc::clone(&held);
    let api = Api::answering(move |_| {
        holder.wait();
        Ok(done("kept"))
    });
    let first = tokio::spawn(deploy(&api, "k-3", "v2").send());
    until_seen(&api, 1).await;
    first.abort();
    assert!(first.await.is_err());
    held.let_go();
    let again = deploy(&api, "k-3", "v2").send().await.unwrap();
    assert_eq!(again.headers()["idempotency-replayed"], "true");
    assert_eq!(again.json::<Value>().await.unwrap()["message"], "kept");
    assert_eq!(api.seen().len(), 1);
}

#[tokio::test]
async fn a_503_is_not_kept_and_a_refusal_is() {
    let unavailable = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&unavailable);
    let api = Api::answering(move |_| {
        if switch.load(Ordering::SeqCst) {
            Err(Rejection::Unavailable {
                code: RefusalCode::StoreUnwritable,
                why: "the store can't be written".into(),
            })
        } else {
            Err(Rejection::Conflict { code: RefusalCode::Pinned, why: "pinned".into() })
        }
    });
    problem(deploy(&api, "k-4", "v2").send().await.unwrap(), 503, "unavailable").await;
    unavailable.store(false, Ordering::SeqCst);
    problem(deploy(&api, "k-4", "v2").send().await.unwrap(), 409, "conflict").await;
    problem(deploy(&api, "k-4", "v2").send().await.unwrap(), 409, "conflict").await;
    assert_eq!(api.seen().len(), 2);
}

#[tokio::test]
async fn keys_of_a_wrong_form_are_refused() {
    let api = Api::start();
    let long = "k".repeat(256);
    for bad in ["", "two words", "caf\u{e9}", long.as_str()] {
        let request = api.request(Method::POST, "/v1/services/shop/abort");
        let request = request.header("idempotency-key", bad.as_bytes());
        problem(request.send().await.unwrap(), 400, "bad-request").await;
    }
    assert!(api.seen().is_empty());
}
