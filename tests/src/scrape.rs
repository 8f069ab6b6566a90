//! A page of `/metrics`, read by name and labels.
use crate::{Service, wait::eventually};

/// One page, all of it of the same moment.
#[derive(Debug)]
pub struct Scrape(String);

// === impl Scrape ===

impl Scrape {
    /// What the page of `service` says now.
    ///
    /// # Panics
    /// When the admin port does not answer.
    #[must_use]
    pub fn of(service: &Service) -> Self {
        let page = service.admin_get("/metrics");
        Self(page.expect("the admin port answers").text())
    }

    /// The series of a metric: what stands between the braces, and the value.
    pub fn series<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = match rest.strip_prefix('{') {
                Some(rest) => rest.rsplit_once("} ")?,
                None => ("", rest.strip_prefix(' ')?),
            };
            Some((labels, value.split(' ').next()?.parse().ok()?))
        })
    }

    /// The sum of the series of a metric that have all of `labels`, each written as `name="value"`.
    #[must_use]
    pub fn sum(&self, name: &str, labels: &[&str]) -> f64 {
        let all = self.series(name);
        let wanted = all.filter(|(found, _)| labels.iter().all(|label| found.contains(label)));
        wanted.map(|(_, value)| value).sum()
    }
}

impl Service {
    /// Waits until a gauge, summed over its series, is `value` again; gives the page that said so.
    ///
    /// # Panics
    /// When it does not within [`BOUND`](crate::BOUND).
    pub fn settles(&self, gauge: &str, labels: &[&str], value: f64) -> Scrape {
        eventually(&format!("{gauge} is {value}"), || {
            let page = Scrape::of(self);
            (page.sum(gauge, labels) == value).then_some(page)
        })
    }
}
