#![allow(clippy::unwrap_used)]

use super::*;

fn engine(host: &str, certificates: Option<&str>) -> Option<Result<Engine, String>> {
    let host = Some(host.to_owned()).filter(|host| !host.is_empty());
    let variables = DockerHost { host, certificates: certificates.map(str::to_owned) };
    variables.engine(|address| address.starts_with("127."))
}

#[test]
fn the_variable_names_the_engine_as_it_does_for_the_engines_own_client() {
    assert_eq!(engine("", None), None);
    let socket = "unix:///run/user/1000/docker.sock";
    assert_eq!(engine(socket, None).unwrap().unwrap(), Engine { url: socket.to_owned(), tls: None });
    assert_eq!(engine("tcp://127.0.0.1:2375", None).unwrap().unwrap().tls, None);
    let far = engine("tcp://engine.example.org:2376", Some("/certs")).unwrap().unwrap();
    assert_eq!(far.tls.unwrap().ca, Path::new("/certs/ca.pem"));
}

#[test]
fn an_engine_that_is_not_reached_in_this_way_is_refused_with_the_variable() {
    for (host, why) in [
        ("ssh://somebody@engine", "unix:// or tcp://"),
        ("/var/run/docker.sock", "unix:// or tcp://"),
        ("tcp://engine.example.org", "has no port"),
        ("tcp://engine.example.org:2376", "needs DOCKER_CERT_PATH"),
    ] {
        let refused = engine(host, None).unwrap().unwrap_err();
        assert!(refused.contains(why) && refused.contains(&format!("\"{host}\"")), "{refused}");
    }
}
