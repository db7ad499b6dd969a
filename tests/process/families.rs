//! IPv4 and IPv6 on one port: by one listener, or by one of each.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};

use greenlight::cli::demo::client::{Connection, request};

use greenlight_testkit::house::{HOST, House, Setup, address};

async fn status(address: SocketAddr) -> u16 {
    let mut connection = Connection::open(address).await.unwrap();
    connection.ask(&request("GET", "/", HOST, None)).await.unwrap().status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_can_have_a_listener_of_each_and_one_of_both() {
    let [alone, beside, webhooks] = [(); 3].map(|()| address().port());
    let more = format!(
        "[[listeners]]\nbind = \"[::]:{alone}\"\n\
         [[listeners]]\nbind = \"[::]:{beside}\"\n[[listeners]]\nbind = \"0.0.0.0:{beside}\"\n\
         [[listeners]]\nbind = \"0.0.0.0:{webhooks}\"\n[hooks]\nbind = \"[::]:{webhooks}\"\n"
    );
    let house = House::open(&Setup { processes: 1, more, ..Setup::default() }).await;
    for ip in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        for port in [alone, beside] {
            assert_eq!(status((ip, port).into()).await, 200, "{ip} {port}");
        }
        assert!(TcpStream::connect((ip, webhooks)).is_ok(), "{ip} {webhooks}");
    }
    assert_eq!(
        status((Ipv4Addr::LOCALHOST, webhooks).into()).await,
        200,
        "the listener's, not the webhooks'"
    );
    assert_eq!(house.ask().await.unwrap().0, 200);
}
