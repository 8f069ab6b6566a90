//! `info,sqlx=warn,my_crate::db=debug`.
use super::InvalidLevels;
use std::{fmt, str::FromStr};
use tracing::{Level, level_filters::LevelFilter};

/// A level for everything and levels for targets that begin with a name; the longest name that fits decides.
///
/// A name is compared as text, so that `my_` covers `my_crate` and `my_other::db`. Without a level for everything, `info`
/// is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directives {
    all: Option<LevelFilter>,
    /// The longest name first.
    targets: Vec<(String, LevelFilter)>,
}

const LEVELS: [(&str, LevelFilter); 6] = [
    ("off", LevelFilter::OFF),
    ("error", LevelFilter::ERROR),
    ("warn", LevelFilter::WARN),
    ("info", LevelFilter::INFO),
    ("debug", LevelFilter::DEBUG),
    ("trace", LevelFilter::TRACE),
];

// === impl Directives ===

impl Directives {
    /// The same level for everything.
    #[must_use]
    pub fn all(level: LevelFilter) -> Self {
        Self {
            all: Some(level),
            targets: Vec::new(),
        }
    }

    /// Whether an event of this level and target is logged.
    #[must_use]
    pub fn enabled(&self, level: Level, target: &str) -> bool {
        let fits = |(name, _): &&(String, LevelFilter)| target.starts_with(name.as_str());
        let found = self.targets.iter().find(fits);
        level <= found.map_or(self.base(), |(_, level)| *level)
    }

    /// The most that any target may log.
    #[must_use]
    pub fn max(&self) -> LevelFilter {
        let targets = self.targets.iter().map(|(_, level)| *level);
        targets.fold(self.base(), Ord::max)
    }

    /// What every target may log.
    pub(super) fn min(&self) -> LevelFilter {
        let targets = self.targets.iter().map(|(_, level)| *level);
        targets.fold(self.base(), Ord::min)
    }

    /// These, with `over` on top: where both name the same target, or both name a level for everything, `over` holds.
    pub(super) fn overlaid(&self, over: &Self) -> Self {
        let mut targets = over.targets.clone();
        for (name, level) in &self.targets {
            if over.targets.iter().all(|(taken, _)| taken != name) {
                targets.push((name.clone(), *level));
            }
        }
        Self::sorted(over.all.or(self.all), targets)
    }

    fn base(&self) -> LevelFilter {
        self.all.unwrap_or(LevelFilter::INFO)
    }

    fn sorted(all: Option<LevelFilter>, mut targets: Vec<(String, LevelFilter)>) -> Self {
        targets.sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        Self { all, targets }
    }
}

impl FromStr for Directives {
    type Err = InvalidLevels;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (mut all, mut targets) = (None, Vec::<(String, LevelFilter)>::new());
        for part in text.split(',').map(str::trim) {
            let Some((target, level)) = part.split_once('=') else {
                if all.replace(level(part)?).is_some() {
                    let twice = format!("`{part}` is a second level for everything: keep one");
                    return Err(InvalidLevels::new(twice));
                }
                continue;
            };
            let (target, level) = (target.trim(), self::level(level.trim())?);
            if target.is_empty() || target.contains(char::is_whitespace) {
                let wrong =
                    format!("`{part}` names no target: write it as `my_crate::module=debug`");
                return Err(InvalidLevels::new(wrong));
            }
            if targets.iter().any(|(name, _)| name == target) {
                let twice = format!("`{target}` is named twice: keep one of its levels");
                return Err(InvalidLevels::new(twice));
            }
            targets.push((target.to_owned(), level));
        }
        Ok(Self::sorted(all, targets))
    }
}

impl fmt::Display for Directives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(name(self.base()))?;
        for (target, level) in &self.targets {
            write!(f, ",{target}={}", name(*level))?;
        }
        Ok(())
    }
}

fn level(text: &str) -> Result<LevelFilter, InvalidLevels> {
    let found = LEVELS
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name));
    found.map(|(_, level)| *level).ok_or_else(|| {
        InvalidLevels::new(format!(
            "`{}` is not a level: write off, error, warn, info, debug or trace, or a target and its level such as \
             `my_crate=debug`",
            text.escape_debug()
        ))
    })
}

fn name(level: LevelFilter) -> &'static str {
    let found = LEVELS.iter().find(|(_, known)| *known == level);
    found.map_or("off", |(name, _)| name)
}
