//! What callers read of their limits, and whose word counts.
use super::*;

fn rated(limits: &[(&str, &str)]) -> AdmissionConfig {
    let mut config = AdmissionConfig::default();
    for (name, rate) in limits {
        let limit = RateLimitConfig::default().rate(rate.parse().unwrap());
        config.rate_limits.insert((*name).to_owned(), limit);
    }
    config
}

fn text<'a>(response: &'a Response<impl Sized>, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn who_may_pass_reads_how_often_it_yet_may() {
    use RateLimitHeaders::{Always, Never, Refusals};
    let policy = r#""api";q=2;w=60"#;
    for (headers, allowed, refused) in [
        (Always, true, true),
        (Refusals, false, true),
        (Never, false, false),
    ] {
        let config = rated(&[("api", "2/m")]).rate_limit_headers(headers);
        let svc = stack(config, &Registry::new()).service(service_fn(hello));
        for (left, status, told) in [
            ("1;t=30", 200, allowed),
            ("0;t=60", 200, allowed),
            ("0;t=30", 429, refused),
        ] {
            let response = svc.clone().oneshot(get("/orders/1")).await.unwrap();
            assert_eq!(response.status(), status);
            let shown = (
                text(&response, "ratelimit-policy").to_owned(),
                text(&response, "ratelimit").to_owned(),
            );
            let expected = if told {
                (policy.to_owned(), format!(r#""api";r={left}"#))
            } else {
                Default::default()
            };
            assert_eq!(shown, expected, "{headers:?}");
            assert_eq!(
                response.headers().contains_key("retry-after"),
                status == 429
            );
        }
    }
}

#[tokio::test]
async fn of_several_limits_the_one_that_leaves_the_least_is_told() {
    let mut config = rated(&[("wide", "100/m"), ("narrow", "3/m")]);
    let mut batch = RouteAdmissionConfig::default();
    let limit = RateLimitConfig::default().rate("2/m".parse().unwrap());
    batch.rate_limits.insert("own".to_owned(), limit);
    config.routes.insert("/batch".to_owned(), batch);
    let critical = RouteAdmissionConfig::default().priority(Priority::Critical);
    config.routes.insert("/orders/{id}".to_owned(), critical);
    let svc = stack(config, &Registry::new()).service(service_fn(hello));
    for (path, expected) in [
        ("/else", r#""narrow";r=2;t=20"#),
        ("/batch", r#""/batch own";r=1;t=30"#),
        // As much is left of both.
        ("/batch", r#""/batch own";r=0;t=60"#),
        // No limit applies to what is critical, nor to a probe.
        ("/orders/1", ""),
        ("/livez", ""),
    ] {
        let response = svc.clone().oneshot(get(path)).await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        assert_eq!(text(&response, "ratelimit"), expected, "{path}");
    }
}

#[tokio::test]
async fn what_the_handler_says_of_its_limits_stands_and_its_errors_are_told_too() {
    let svc = stack(rated(&[("api", "9/m")]), &Registry::new()).service(service_fn(
        |request: Req| async move {
            if request.uri().path() == "/fails" {
                return Err(std::io::Error::other("on purpose"));
            }
            let mut response = Response::new(Full::new(Bytes::new()));
            let own = "\"own\";r=1".parse().unwrap();
            response.headers_mut().insert("ratelimit", own);
            Ok(response)
        },
    ));
    let response = svc.clone().oneshot(get("/")).await.unwrap();
    assert_eq!(text(&response, "ratelimit"), "\"own\";r=1");
    assert_eq!(text(&response, "ratelimit-policy"), "");
    let response = svc.oneshot(get("/fails")).await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(text(&response, "ratelimit"), r#""api";r=7;t=14"#);
}

#[tokio::test]
async fn deadlines_count_from_those_who_are_trusted() {
    let networks = Trust::Networks(vec!["10.0.0.0/8".parse().unwrap()]);
    for (trust, peer, status) in [
        (Trust::All, Some("203.0.113.9:1"), 504),
        (Trust::All, None, 504),
        (Trust::None, Some("10.0.0.1:1"), 200),
        (Trust::None, None, 200),
        (networks.clone(), Some("10.0.0.1:1"), 504),
        (networks.clone(), Some("[::ffff:10.0.0.1]:1"), 504),
        (networks.clone(), Some("203.0.113.9:1"), 200),
        (networks, None, 200),
    ] {
        let config = AdmissionConfig::default().trust(trust.clone());
        let metrics = Registry::new();
        let mut svc = stack(config, &metrics).service(service_fn(hello));
        for header in ["x-request-timeout-ms", "grpc-timeout"] {
            let mut conn = ConnInfo::new(Version::HTTP_11);
            conn.peer = peer.map(|peer| peer.parse().unwrap());
            let mut request = get("/orders/1");
            let value = if header.starts_with('x') { "0" } else { "0m" };
            request.headers_mut().insert(header, value.parse().unwrap());
            let call = {
                let _entered = conn.enter();
                svc.ready().await.unwrap().call(request)
            };
            assert_eq!(call.await.unwrap().status(), status, "{trust:?} {peer:?}");
        }
    }
}
