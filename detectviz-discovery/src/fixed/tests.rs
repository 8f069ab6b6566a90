use super::*;
use detectviz_core::discovery::{DiscoveryErrorKind, ServiceDiscoveryProvider};

#[test]
fn an_address_is_a_host_and_a_port() {
    for (address, expected) in [
        ("127.0.0.1:80", Some(("127.0.0.1", 80))),
        ("[::1]:80", Some(("::1", 80))),
        ("orders.shop.svc:8080", Some(("orders.shop.svc", 8080))),
        ("::1:80", None),
        ("orders", None),
        ("orders:0", None),
        ("orders:99999", None),
        (":80", None),
        ("http://orders:80", None),
        ("[orders]:80", None),
    ] {
        let parsed = EndpointConfig::at(address).parse();
        let parsed = parsed.as_ref().map(|e| (e.host.as_str(), e.port));
        assert_eq!(parsed, expected, "{address}");
    }
}

#[tokio::test]
async fn a_replaced_list_reaches_those_who_watch() {
    let provider = StaticConfig::default().service("orders", ["a:1"]).build();
    let mut watch = provider.watch("orders").await.unwrap();
    provider.replace(&StaticConfig::default().service("orders", ["a:1", "b:1"]));
    assert_eq!(watch.changed().await.unwrap().endpoints().len(), 2);
    provider.replace(&StaticConfig::default());
    assert!(watch.changed().await.unwrap().endpoints().is_empty());
    let err = provider.watch("basket").await.unwrap_err();
    assert_eq!(err.kind(), DiscoveryErrorKind::UnknownService);
}
