//! The login by the clock: no sockets, no tasks.
use super::{
    grant::{Granted, TokenLife},
    state::{State, Step},
};
use detectviz_core::secret::Secret;
use proptest::prelude::*;
use serde_json::value::RawValue;
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);

fn life(ttl: Duration, renewable: bool) -> TokenLife {
    TokenLife { ttl, renewable }
}

fn granted(value: &str, ttl: Duration, renewable: bool) -> Granted {
    Granted {
        value: Secret::from(value),
        is_ours: true,
        life: life(ttl, renewable),
    }
}

/// What is due, as a share of `ttl` after `from`.
fn share(state: &State, from: Instant, ttl: Duration) -> (f64, Step) {
    let (at, step) = state.next().unwrap();
    ((at - from).as_secs_f64() / ttl.as_secs_f64(), step)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn s1_a_renewal_comes_between_60_and_75_percent_and_before_the_end(
        ttl in 1_u64..100_000_000, jitter in 0.0..1.0,
    ) {
        let ttl = Duration::from_millis(ttl);
        let now = Instant::now();
        let mut state = State::default();
        let (token, _) = state.logged_in(granted("a", ttl, true), now, jitter);
        for _ in 0..3 {
            let (at, step) = state.next().unwrap();
            prop_assert_eq!(step, Step::Renew);
            prop_assert!(at - now < ttl);
            let share = (at - now).as_secs_f64() / ttl.as_secs_f64();
            prop_assert!((0.6..=0.75).contains(&share), "{}", share);
            state.renewed(&token, life(ttl, true), now, jitter);
        }
    }
}

#[test]
fn a_token_that_never_ends_is_left_alone() {
    let mut state = State::default();
    let now = Instant::now();
    state.logged_in(granted("root", Duration::ZERO, false), now, 0.5);
    assert_eq!(state.next(), None);
    assert!(state.token(now + MINUTE * 1_000_000).is_some());
}

#[test]
fn a_capped_renewal_leads_to_a_new_login_before_the_end() {
    let mut state = State::default();
    let now = Instant::now();
    let hour = MINUTE * 60;
    let (token, _) = state.logged_in(granted("a", hour, true), now, 0.0);
    for (ttl, step) in [
        (hour, Step::Renew),
        // Rounded by the store, and no cap.
        (hour - Duration::from_secs(1), Step::Renew),
        (MINUTE * 20, Step::Login),
        (MINUTE, Step::Login),
    ] {
        state.renewed(&token, life(ttl, true), now, 0.0);
        let (found, next) = share(&state, now, ttl);
        assert_eq!(next, step, "{ttl:?}");
        let expected = if step == Step::Renew { 0.7 } else { 0.85 };
        assert!((found - expected).abs() < 0.001, "{ttl:?}: {found}");
    }
}

#[test]
fn a_token_in_its_last_second_does_not_count_as_one_that_never_ends() {
    let mut state = State::default();
    let now = Instant::now();
    let (token, _) = state.logged_in(granted("a", MINUTE, true), now, 0.0);
    state.renewed(&token, life(Duration::ZERO, true), now + MINUTE / 2, 0.0);
    let (at, step) = state.next().unwrap();
    assert_eq!(step, Step::Login);
    assert!(at < now + MINUTE && state.token(now + MINUTE).is_none());
    for (expire_time, expected) in [("null", 0), (r#""2026-01-01T00:00:00Z""#, 1)] {
        let data =
            format!(r#"{{"ttl":0,"expire_time":{expire_time},"type":"service","num_uses":0}}"#);
        let data: Box<RawValue> = RawValue::from_string(data).unwrap();
        let found = Granted::of_given(Secret::from("a"), Some(&data)).unwrap();
        assert_eq!(found.life, life(Duration::from_secs(expected), false));
    }
}

#[test]
fn a_new_token_is_a_new_session_and_the_same_is_none() {
    let mut state = State::default();
    let now = Instant::now();
    let (first, is_new) = state.logged_in(granted("a", MINUTE, true), now, 0.0);
    assert_eq!((first.session, is_new), (1, true));
    let (same, is_new) = state.logged_in(granted("a", MINUTE, true), now, 0.0);
    assert_eq!((same.session, is_new), (1, false));
    let (second, is_new) = state.logged_in(granted("b", MINUTE, true), now, 0.0);
    assert_eq!((second.session, is_new), (2, true));
    assert!(!state.died(1), "the first is no longer current");
    assert!(state.token(now).is_some());
    assert!(state.died(2) && state.token(now).is_none());
    state.renewed(&second, life(MINUTE, true), now, 0.0);
    assert!(state.token(now).is_none(), "a late answer revives nothing");
}

#[test]
fn a_token_that_ended_is_not_used() {
    let mut state = State::default();
    let now = Instant::now();
    state.logged_in(granted("a", MINUTE, true), now, 0.0);
    assert!(
        state
            .token(now + MINUTE - Duration::from_millis(1))
            .is_some()
    );
    assert!(state.token(now + MINUTE).is_none());
}

#[test]
fn while_vault_is_away_at_most_30_calls_are_made_in_5_minutes_and_a_20_minute_token_lives() {
    for (ttl, phase) in (0..40).flat_map(|phase| [(20, phase), (10, phase), (5, phase), (1, phase)])
    {
        let mut random = fastrand::Rng::with_seed(phase);
        let ttl = MINUTE * ttl;
        let mut state = State::default();
        let start = Instant::now();
        let (token, _) = state.logged_in(granted("a", ttl, true), start, random.f64());
        let away = start + ttl.mul_f64(random.f64() * 1.4);
        let back = away + MINUTE * 5;
        let mut calls = 0;
        loop {
            let (now, step) = state.next().unwrap();
            if now > back {
                break;
            }
            match step {
                Step::Renew if now < away => {
                    state.renewed(&token, life(ttl, true), now, random.f64())
                }
                _ => {
                    calls += 1;
                    state.failed(now, None, random.f64());
                }
            }
        }
        assert!(calls <= 30, "{ttl:?}: {calls} calls");
        if ttl >= MINUTE * 20 {
            assert!(state.token(back).is_some(), "away from {:?}", away - start);
        }
    }
}

#[test]
fn a_store_that_asks_to_be_left_alone_is() {
    let mut state = State::default();
    let now = Instant::now();
    state.logged_in(granted("a", MINUTE * 60, true), now, 0.0);
    state.failed(now + MINUTE * 42, Some(MINUTE * 2), 0.0);
    assert_eq!(state.next(), Some((now + MINUTE * 44, Step::Renew)));
}

#[test]
fn pauses_double_from_one_second_to_thirty() {
    let mut state = State::default();
    let pauses: Vec<u64> = (0..7).map(|_| state.pause(1.0).as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30]);
}

#[test]
fn logins_are_read_as_the_documentation_shows_them() {
    // <https://developer.hashicorp.com/vault/api-docs/auth/approle#sample-response-9>
    let auth = r#"{"renewable":true,"lease_duration":1200,"metadata":null,"token_policies":["default"],
        "accessor":"fd6c9a00-d2dc-3b11-0be5-af7ae0e1d374","client_token":"5b1a0318-679c-9c45-e5c6-d1b9a9035d49"}"#;
    let read = |auth: &str| {
        let raw: Box<RawValue> = RawValue::from_string(auth.to_owned()).unwrap();
        Granted::of_login(Some(&raw))
    };
    let found = read(auth).unwrap();
    assert_eq!(
        found.value.expose(),
        b"5b1a0318-679c-9c45-e5c6-d1b9a9035d49"
    );
    assert!(found.is_ours);
    assert_eq!(found.life, life(MINUTE * 20, true));

    let batch = auth.replace("\"accessor\"", "\"token_type\":\"batch\",\"accessor\"");
    assert!(!read(&batch).unwrap().is_ours);
    let limited = auth.replace("\"accessor\"", "\"num_uses\":5,\"accessor\"");
    let err = read(&limited).unwrap_err().to_string();
    assert!(
        err.contains("token_num_uses") && err.contains("5 calls"),
        "{err}"
    );
    for broken in ["{}", "[]", r#"{"client_token":7,"lease_duration":1}"#] {
        let err = read(broken).unwrap_err().to_string();
        assert!(err.contains("other types"), "{err}");
    }
}
