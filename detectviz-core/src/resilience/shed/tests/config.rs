//! What a user may write.
use super::*;
use crate::config::{Sources, check, live_update, load};

#[test]
fn what_cannot_work_is_refused_with_a_remedy() {
    let of = ShedConfig::default;
    for (config, key) in [
        (of().cpu(Some(0.0)), "cpu.threshold"),
        (of().cpu(Some(1.0)), "cpu.threshold"),
        (of().cpu(Some(f64::NAN)), "cpu.threshold"),
        (of().memory(Some(90.0)), "memory.threshold"),
        (of().queue_delay(Some(Duration::ZERO)), "queue_delay.target"),
        (of().queue_delay(Some(ms(10_001))), "queue_delay.target"),
        (of().interval(ms(49)), "interval"),
        (of().interval(ms(1001)), "interval"),
        (of().cool_off(ms(60_001)), "cool_off"),
    ] {
        let problems = check(&config).unwrap_err().to_string();
        assert!(
            problems.contains(&format!("{key}: ")),
            "{config:?}: {problems}"
        );
        assert_eq!(problems.lines().count(), 1, "{problems}");
    }
    assert!(check(&of()).is_ok());
    assert!(check(&of().cpu(None).memory(None).queue_delay(None)).is_ok());
}

#[test]
fn a_section_is_read_from_a_file_and_all_of_it_is_live() {
    let yaml =
        "shed: {cpu: {threshold: 0.8}, memory: {enabled: false}, queue_delay: {target: 50ms}}";
    let mut loaded = load(&Sources::new().embedded_app("app.yaml", yaml)).unwrap();
    let read: ShedConfig = loaded.section("shed");
    assert!(loaded.finish().is_ok());
    let expected = ShedConfig::default().cpu(Some(0.8)).memory(None);
    let expected = expected.queue_delay(Some(ms(50)));
    assert_eq!(read, expected);
    let updated = live_update(&ShedConfig::default(), &expected);
    assert_eq!(updated, Some(expected));
}
