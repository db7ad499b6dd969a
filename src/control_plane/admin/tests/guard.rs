//! Which requests are let in.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const ALL: [(&str, &str); 6] = [
    ("GET", "/v1/services"),
    ("POST", "/v1/services/shop/promote"),
    ("GET", "/metrics"),
    ("GET", "/openapi.json"),
    ("POST", "/v1/reload"),
    ("GET", "/nothing/here"),
];

#[tokio::test]
async fn without_the_token_no_client_gets_in() {
    let api = Api::with(Some("s3cret\n"), Arc::new(|_| Ok(done("done"))));
    for (method, path) in ALL {
        for shown in [None, Some("Bearer wrong"), Some("Bearer s3cre"), Some("Basic s3cret"), Some("Bearer ")]
        {
            let mut request = api.request(method.parse().unwrap(), path);
            if let Some(shown) = shown {
                request = request.header("authorization", shown);
            }
            let response = request.send().await.unwrap();
            assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"), "{path}");
            problem(response, 401, "unauthorized").await;
        }
    }
    assert!(api.seen().is_empty());
    for path in ["/healthz", "/readyz"] {
        assert_eq!(api.get(path).await.status(), 200, "{path}");
    }
}

#[tokio::test]
async fn with_the_token_the_host_does_not_matter() {
    let api = Api::with(Some("s3cret"), Arc::new(|_| Ok(done("done"))));
    let request = api.request(Method::POST, "/v1/services/shop/promote").bearer_auth("s3cret");
    let request = request.header("host", "admin.example.org").header("x-greenlight-actor", "ci");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let actor = api.seen()[0].actor.0.clone();
    assert!(actor.starts_with("ci (token, 127.0.0.1:"), "{actor}");
}

#[tokio::test]
async fn without_a_token_no_foreign_page_gets_in() {
    let api = Api::start();
    for (name, value) in [
        ("host", "evil.example.org"),
        ("host", "evil.example.org:9900"),
        ("origin", "http://evil.example.org"),
        ("origin", "null"),
        ("origin", "http://localhost:3000"),
    ] {
        for (method, path) in ALL {
            let request = api.request(method.parse().unwrap(), path).header(name, value);
            problem(request.send().await.unwrap(), 403, "foreign-origin").await;
        }
    }
    assert!(api.seen().is_empty());
    let own = format!("http://{}", api.address);
    let request = api.request(Method::POST, "/v1/services/shop/promote").header("origin", own);
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert!(api.seen()[0].actor.0.starts_with("loopback, 127.0.0.1:"));
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() {
    let api = Api::start();
    let mut stream = tokio::net::TcpStream::connect(api.address).await.unwrap();
    stream.write_all(b"GET /v1/services HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.0 403 "), "{answer}");
}

#[tokio::test]
async fn an_actor_is_short_and_printable() {
    let api = Api::start();
    for bad in ["x".repeat(65), "caf\u{e9}".to_owned(), " ".to_owned()] {
        let request = api.request(Method::POST, "/v1/services/shop/promote");
        let request = request.header("x-greenlight-actor", bad.as_bytes());
        problem(request.send().await.unwrap(), 400, "bad-request").await;
    }
    assert!(api.seen().is_empty());
}

#[tokio::test]
async fn another_bind_needs_token_and_tls() {
    let (handle, _inbox) = channel(1);
    let folder = tempfile::tempdir().unwrap();
    let listener = std::net::TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let options = Options {
        handle,
        store: Arc::new(open(folder.path())),
        registry: prometheus::Registry::new(),
        token: Some(Token::new("s3cret")),
        tls: None,
        ready: Arc::new(AtomicBool::new(true)),
    };
    let (_stop, stopped) = watch::channel(false);
    let fault = serve(listener, options, stopped).await.unwrap_err();
    assert!(matches!(fault, ServeFault::Unprotected(_)), "{fault}");
    assert!(fault.to_string().contains("it needs [admin] token and [admin] tls"));
}

#[test]
fn an_empty_token_lets_no_client_in() {
    assert!(!Token::new(" \n").is(b""));
    assert!(Token::new("abc\n").is(b"abc"));
    assert_eq!(format!("{:?}", Token::new("abc")), "Token(..)");
}

/// Connections that send nothing fill every place. They lose it soon, so a command is not held for long.
#[tokio::test]
async fn connections_that_send_nothing_hold_no_command_for_long() {
    let api = Api::start();
    let mut silent = Vec::new();
    for _ in 0..260 {
        silent.push(tokio::net::TcpStream::connect(api.address).await.unwrap());
    }
    let begun = std::time::Instant::now();
    assert_eq!(api.post("/v1/services/shop/rollback", json!({})).await.status(), 200);
    assert!(begun.elapsed() < std::time::Duration::from_secs(15), "{:?}", begun.elapsed());
}
