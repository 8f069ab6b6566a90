//! How long a token or a lease lives; follows `CalculateTTL` of Vault's SDK (`sdk/framework/lease.go`) and
//! <https://developer.hashicorp.com/vault/docs/concepts/tokens#token-time-to-live-periodic-tokens-and-explicit-max-ttls>.
use super::{call::Refusal, text::go_duration};
use std::time::Duration;

/// What decides it; 0 stands for "not set". All in seconds but the times.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Terms {
    /// What the client asks for.
    pub increment: u64,
    /// What the role says.
    pub ttl: u64,
    pub period: u64,
    pub max_ttl: u64,
    pub explicit_max_ttl: u64,
    /// `default_lease_ttl` of the mount.
    pub default: u64,
    /// `max_lease_ttl` of the mount.
    pub max: u64,
    /// When it was issued first.
    pub start: Duration,
}

// === impl Terms ===

impl Terms {
    /// Seconds from `now`, and the warning where it is less than was asked for.
    pub(super) fn at(self, now: Duration) -> Result<(u64, Vec<String>), Refusal> {
        let (now, start) = (now.as_secs(), self.start.as_secs());
        let set = |seconds: u64| (seconds > 0).then_some(seconds);
        let limits = [set(self.max_ttl), set(self.explicit_max_ttl)];
        let max = limits.into_iter().flatten().fold(self.max, u64::min);
        let mut warnings = Vec::new();
        let (ttl, end) = match set(self.period) {
            Some(period) => {
                if period > max {
                    warnings.push(capped("period", period, max));
                }
                let end = set(self.explicit_max_ttl).map(|max| start + max);
                (period.min(max), end)
            }
            None => {
                let asked = set(self.increment).or(set(self.ttl));
                (asked.unwrap_or(self.default), Some(start + max))
            }
        };
        let Some(end) = end else {
            return Ok((ttl, warnings));
        };
        let Some(left) = end.checked_sub(now) else {
            return Err(Refusal::bad("past the max TTL, cannot renew"));
        };
        if ttl > left {
            warnings.push(capped("TTL", ttl, left));
        }
        Ok((ttl.min(left), warnings))
    }
}

fn capped(what: &str, asked: u64, max: u64) -> String {
    let (asked, max) = (go_duration(asked), go_duration(max));
    format!(
        "{what} of \"{asked}\" exceeded the effective max_ttl of \"{max}\"; {what} value is capped accordingly"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_never_passes_the_max_ttl() {
        let base = Terms {
            ttl: 60,
            max_ttl: 100,
            default: 3_600,
            max: 7_200,
            ..Terms::default()
        };
        let periodic = Terms { period: 30, ..base };
        let explicit = Terms {
            explicit_max_ttl: 50,
            ..periodic
        };
        for (terms, increment, now, expected) in [
            (base, 0, 0, Some((60, false))),
            (base, 20, 30, Some((20, false))),
            (base, 0, 70, Some((30, true))),
            (base, 500, 70, Some((30, true))),
            (base, 0, 100, Some((0, true))),
            (base, 0, 101, None),
            (periodic, 500, 5_000, Some((30, false))),
            (explicit, 0, 40, Some((10, true))),
            (explicit, 0, 51, None),
        ] {
            let terms = Terms { increment, ..terms };
            let got = terms.at(Duration::from_secs(now)).ok();
            let got = got.map(|(ttl, warnings)| (ttl, !warnings.is_empty()));
            assert_eq!(got, expected, "{terms:?} at {now}");
        }
    }

    #[test]
    fn the_warning_is_word_for_word() {
        let terms = Terms {
            increment: 3_600,
            max: 1_800,
            ..Terms::default()
        };
        let (_, warnings) = terms.at(Duration::ZERO).unwrap();
        let expected = r#"TTL of "1h0m0s" exceeded the effective max_ttl of "30m0s"; TTL value is capped accordingly"#;
        assert_eq!(warnings, [expected]);
    }
}
