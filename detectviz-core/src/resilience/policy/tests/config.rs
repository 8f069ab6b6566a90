//! What may be set.
use super::*;
use crate::{config::check, resilience::breaker::WindowConfig, resilience::hedge::HedgeConfig};

#[test]
fn what_cannot_work_is_refused_with_the_remedy() {
    let base = PolicyConfig::default();
    let window = |millis| BreakerConfig::default().window(WindowConfig::Time(ms(millis)));
    let bad_retry = RetryConfig::default().attempts(0);
    let bad_hedge = HedgeConfig::default().quantile(2.0);
    let mut no_turns = base.clone();
    no_turns.bulkhead = no_turns.bulkhead.max_concurrent(0);
    for (config, refused) in [
        (base.clone(), None),
        (base.clone().hedge(HedgeConfig::default()), None),
        (base.clone().total_timeout(ms(1000)), Some("total_timeout")),
        (base.clone().total_timeout(ms(1001)), None),
        (base.clone().attempt_timeout(ms(0)), Some("attempt_timeout")),
        (base.clone().breaker(window(1999)), Some("breaker.window")),
        (base.clone().breaker(window(2000)), None),
        (base.clone().retry(bad_retry), Some("retry.attempts")),
        (base.clone().hedge(bad_hedge), Some("hedge.quantile")),
        (no_turns, Some("bulkhead.max_concurrent")),
    ] {
        let problems = check(&config).err().map(|problems| problems.to_string());
        match refused {
            None => assert_eq!(problems, None),
            Some(key) => assert!(
                problems.as_deref().is_some_and(|p| p.contains(key)),
                "{key}: {problems:?}"
            ),
        }
    }
}

#[test]
fn a_section_is_read_from_text() {
    let text = r#"{"total_timeout": "2s", "attempt_timeout": "500ms", "hedge": {"max_hedges": 1}}"#;
    let config: PolicyConfig = serde_json::from_str(text).unwrap();
    let expected = PolicyConfig::default()
        .total_timeout(ms(2000))
        .attempt_timeout(ms(500));
    assert_eq!(config, expected.hedge(HedgeConfig::default()));
    assert!(serde_json::from_str::<PolicyConfig>(r#"{"timeout": "2s"}"#).is_err());
}
