//! The engines themselves: what the other tests stand on.

use bollard::Docker;
use bollard::models::{ContainerCreateBody, HostConfig, PortBinding};
use bollard::query_parameters::{CreateImageOptionsBuilder, PushImageOptions};
use futures_util::TryStreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use greenlight_testkit::docker::available;
use greenlight_testkit::docker::engine::{Engine, Options};
use greenlight_testkit::docker::image::{self, PORT, Recipe};
use greenlight_testkit::docker::registry::{self, Registry};
use greenlight_testkit::house::address;

/// An image is made, pushed with a password, pulled by its digest, runs, survives the daemon's kill -9
/// where its network does, and all of it is gone afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_and_a_registry_of_our_own() {
    if !available() {
        return;
    }
    let engine = Engine::start(Options { live_restore: true, ..Options::default() });
    let registry = Registry::start(address(), &registry::Options { auth: true, notify: None }).await;
    let api = engine.api().await;
    let name = registry.image("org/app:v1");
    image::make(&api, &name, &Recipe::new("v1")).await;
    let digest = image::push(&api, &name, registry.credentials()).await;
    api.remove_image(&name, None::<bollard::query_parameters::RemoveImageOptions>, None).await.unwrap();

    let by_digest = format!("{}@{digest}", registry.image("org/app"));
    let pull = CreateImageOptionsBuilder::new().from_image(&by_digest).build();
    let refused = image::to_the_end(api.create_image(Some(pull.clone()), None, None)).await;
    assert!(refused.is_err(), "pulled without a password");
    image::to_the_end(api.create_image(Some(pull), None, registry.credentials())).await.unwrap();

    // One of ours: two engines on one machine would give out the same.
    let port = address().port().to_string();
    let container = ContainerCreateBody {
        image: Some(by_digest),
        host_config: Some(HostConfig {
            port_bindings: Some(
                [(
                    format!("{PORT}/tcp"),
                    Some(vec![PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(port) }]),
                )]
                .into(),
            ),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let made = api
        .create_container(None::<bollard::query_parameters::CreateContainerOptions>, container)
        .await
        .unwrap();
    api.start_container(&made.id, None::<bollard::query_parameters::StartContainerOptions>).await.unwrap();
    engine.kill();
    engine.start_again();
    let seen = engine
        .api()
        .await
        .inspect_container(&made.id, None::<bollard::query_parameters::InspectContainerOptions>)
        .await
        .unwrap();
    let state = seen.state.unwrap();
    assert_eq!((state.running, state.restarting), (Some(true), Some(false)));
}

/// The last line's CR LF in a read of its own, which no engine can be made to write: the line was heard
/// before the rest is sent.
#[tokio::test]
async fn a_line_end_that_comes_by_itself_is_no_fault() {
    const HEAD: &[u8] =
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let heard = Notify::new();
    let server = async {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            assert_ne!(client.read_buf(&mut asked).await.unwrap(), 0);
        }
        client.write_all(HEAD).await.unwrap();
        client.write_all(b"13\r\n{\"status\":\"Pushed\"}").await.unwrap();
        heard.notified().await;
        client.write_all(b"\r\n2\r\n\r\n\r\n0\r\n\r\n").await.unwrap();
    };
    let api = Docker::connect_with_http(&url, 5, bollard::API_DEFAULT_VERSION).unwrap();
    let lines = api.push_image("app", None::<PushImageOptions>, None).inspect_ok(|_| heard.notify_one());
    let ((), lines) = tokio::join!(server, image::to_the_end(lines));
    assert_eq!(lines.unwrap().len(), 1);
}
