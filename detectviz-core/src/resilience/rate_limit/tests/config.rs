//! What a user may write, and what a caller reads.
use super::*;
use crate::config::{Sources, check, live_update, load};

#[test]
fn rates_are_read_and_written_back() {
    for (text, units, millis, shown) in [
        ("100/s", 100, 1000, "100/s"),
        ("5000/h", 5000, 3_600_000, "5000/h"),
        ("10/250ms", 10, 250, "10/250ms"),
        ("1/1m", 1, 60_000, "1/m"),
        ("3/1m30s", 3, 90_000, "3/1m30s"),
        ("7/10s", 7, 10_000, "7/10s"),
    ] {
        let rate: Rate = text.parse().unwrap();
        assert_eq!(rate, Rate::new(units, ms(millis)), "{text}");
        assert_eq!(rate.to_string(), shown);
        assert_eq!(shown.parse::<Rate>(), Ok(rate));
    }
    for text in [
        "", "100", "/s", "100/", "-1/s", "1.5/s", "100/5", "100/x", "s/100", "1/s/s",
    ] {
        assert_eq!(text.parse::<Rate>(), Err(InvalidRate), "{text}");
    }
}

#[test]
fn keys_are_read_and_written_back() {
    for (text, key) in [
        ("global", RateLimitKey::Global),
        ("route", RateLimitKey::Route),
        ("peer", RateLimitKey::Peer),
        ("header:X-Api-Key", RateLimitKey::Header("x-api-key".into())),
    ] {
        assert_eq!(text.parse(), Ok(key.clone()));
        assert_eq!(key.to_string().parse(), Ok(key));
    }
    for text in ["", "Peer", "header", "header:", "header:a b", "cookie:x"] {
        assert_eq!(text.parse::<RateLimitKey>(), Err(InvalidKey), "{text}");
    }
}

#[test]
fn a_section_is_read_from_a_file_and_changed_live_where_that_is_safe() {
    let read = |yaml: &'static str| {
        let mut loaded = load(&Sources::new().embedded_app("app.yaml", yaml)).unwrap();
        let section: RateLimitConfig = loaded.section("limit");
        loaded.finish().map(|_| section)
    };
    let text = "limit: {rate: 5/m, key: header:X-Tenant, max_keys: 10, on_full: allow}";
    let key = RateLimitKey::Header("x-tenant".into());
    let rate = |text: &str| RateLimitConfig::default().rate(text.parse().unwrap());
    let running = rate("5/m")
        .key(key.clone())
        .max_keys(10)
        .on_full(OnFull::Allow);
    assert_eq!(read(text).as_ref(), Ok(&running));
    assert_eq!(running.quota().burst(), 5);
    assert_eq!(
        read("limit: {rate: 10/s, burst: 30}"),
        Ok(rate("10/s").burst(30))
    );
    for (text, expected) in [
        ("limit: {rate: fast}", "write a number and a time"),
        ("limit: {key: cookie}", "write `global`"),
        ("limit: {rate: 0/s}", "to take a limit away"),
    ] {
        let problems = read(text).unwrap_err().to_string();
        assert!(problems.contains(expected), "{problems}");
    }
    let newer = rate("7/s").burst(9).key(RateLimitKey::Peer).max_keys(99);
    let updated = live_update(&running, &newer).unwrap();
    assert_eq!(updated, newer.key(key).max_keys(10));
}

#[test]
fn what_cannot_work_is_refused_with_a_remedy() {
    let of = |units, seconds| {
        RateLimitConfig::default().rate(Rate::new(units, Duration::from_secs(seconds)))
    };
    for (config, key) in [
        (of(0, 1), "rate"),
        (of(1, 0), "rate"),
        (of(1_000_001, 1), "rate"),
        (of(1, 86_401), "rate"),
        (of(10, 1).burst(0), "burst"),
        (of(1, 1).burst(86_401), "burst"),
        (of(1_000_000, 1).burst(1 << 24), "burst"),
        (of(1, 1).max_keys(0), "max_keys"),
        (of(1, 1).max_keys(u32::MAX), "max_keys"),
    ] {
        let problems = check(&config).unwrap_err().to_string();
        assert!(
            problems.contains(&format!("{key}: ")),
            "{config:?}: {problems}"
        );
        assert_eq!(problems.lines().count(), 1, "{problems}");
    }
    for config in [of(1_000_000, 1), of(10_000, 86_400), of(1, 1).burst(86_400)] {
        assert!(check(&config).is_ok());
    }
    assert!(check(&RateLimitConfig::default()).is_ok());
}

#[test]
fn headers_say_what_the_draft_says_in_whole_seconds() {
    let now = Instant::now();
    for (rate, burst, taken, policy, limit) in [
        ("100/s", 100, 1, r#""api";q=100;w=1"#, r#""api";r=99;t=1"#),
        (
            "100/m",
            100,
            60,
            r#""api";q=100;w=60"#,
            r#""api";r=40;t=36"#,
        ),
        ("1000/s", 10, 10, r#""api";q=10;w=1"#, r#""api";r=0;t=1"#),
        ("6/m", 3, 0, r#""api";q=3;w=30"#, r#""api";r=3;t=0"#),
        // Refused: `t` is when to come again, and not when all is there.
        ("6/m", 3, 4, r#""api";q=3;w=30"#, r#""api";r=0;t=10"#),
    ] {
        let config = RateLimitConfig::default()
            .rate(rate.parse().unwrap())
            .burst(burst);
        let (limiter, _) = limiter(&config, now);
        let mut seen = limiter.check_cost(0, 0, now);
        for _ in 0..taken {
            seen = limiter.check(0, now);
        }
        assert_eq!(limiter.policy_header(&seen).as_str(), policy);
        assert_eq!(limiter.limit_header(&seen).as_str(), limit);
    }
    for (after, text) in [
        (0, "1"),
        (1, "1"),
        (1000, "1"),
        (1001, "2"),
        (3_600_000, "3600"),
    ] {
        assert_eq!(HeaderText::retry_after(ms(after)).as_str(), text);
    }
}

#[test]
fn no_name_breaks_a_header() {
    let (limiter, _) = limiter(
        &RateLimitConfig::default().burst(Quota::MOST_BURST),
        Instant::now(),
    );
    let seen = limiter.check(0, Instant::now());
    let odd = HeaderText::policy("a\"b\\c\r\nd é", &seen);
    assert!(odd.as_str().starts_with("\"a_b_c__d __\";q="), "{odd}");
    let long = HeaderText::limit(&"x".repeat(500), &seen);
    assert!(
        long.as_str()
            .starts_with(&format!("\"{}\";r=", "x".repeat(64))),
        "{long}"
    );
    assert!(
        HeaderText::policy(&"x".repeat(500), &seen)
            .as_str()
            .ends_with(";w=16778")
    );
}
