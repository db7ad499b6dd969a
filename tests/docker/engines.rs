//! The engines themselves: what the other tests stand on.

use bollard::models::{ContainerCreateBody, HostConfig, PortBinding};
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::TryStreamExt as _;

use crate::docker::available;
use crate::docker::engine::{Engine, Options};
use crate::docker::image::{self, PORT, Recipe};
use crate::docker::registry::{self, Registry};
use crate::support::address;

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
    let refused = api.create_image(Some(pull.clone()), None, None).try_collect::<Vec<_>>().await;
    assert!(refused.is_err(), "pulled without a password");
    let _: Vec<_> = api.create_image(Some(pull), None, registry.credentials()).try_collect().await.unwrap();

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
