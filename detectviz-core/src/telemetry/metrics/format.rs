//! Which of the two text formats a scraper wants.

/// A format that metrics are shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// Prometheus' text format, version 0.0.4.
    #[default]
    Prometheus004,
    /// OpenMetrics, version 1.0.0; the only one with exemplars.
    OpenMetrics100,
}

/// How much a client wants a format.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
struct Wish {
    /// In thousandths; 0 refuses.
    quality: u16,
    /// How exactly the range names the format; a more exact range wins over a wider one, whatever their qualities.
    exactness: u8,
}

impl Format {
    /// The format that suits an `Accept` header best (RFC 9110, section 12.5.1): the one of higher quality, then the one
    /// that is named more exactly, then the one that is named first.
    ///
    /// [`Prometheus004`](Self::Prometheus004) without a header, and where neither is acceptable, since a scraper can do more
    /// with a text than with a refusal.
    #[must_use]
    pub fn negotiate(accept: Option<&str>) -> Self {
        let Some(accept) = accept else {
            return Self::default();
        };
        let mut text = (Wish::REFUSED, usize::MAX);
        let mut open = (Wish::REFUSED, usize::MAX);
        for (at, range) in accept.split(',').enumerate() {
            let (for_text, for_open) = wishes(range);
            for (best, wish) in [(&mut text, for_text), (&mut open, for_open)] {
                if let Some(wish) = wish
                    && wish.counts_before(best.0)
                {
                    *best = (wish, at);
                }
            }
        }
        let wants = |wish: Wish| (wish.quality, wish.exactness);
        let (text, open) = ((wants(text.0), text.1), (wants(open.0), open.1));
        let first = open.0 == text.0 && open.1 < text.1;
        if open.0.0 > 0 && (open.0 > text.0 || first) {
            Self::OpenMetrics100
        } else {
            Self::Prometheus004
        }
    }

    /// The value of the `Content-Type` header.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus004 => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics100 => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Wish {
    const REFUSED: Self = Self {
        quality: 0,
        exactness: 0,
    };

    fn counts_before(self, other: Self) -> bool {
        (self.exactness, self.quality) > (other.exactness, other.quality)
    }
}

/// What one range of an `Accept` header wishes of the text format, and of OpenMetrics.
fn wishes(range: &str) -> (Option<Wish>, Option<Wish>) {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let (mut quality, mut version) = (1000, None);
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => quality = thousandths(value),
            "version" => version = Some(value),
            _ => {}
        }
    }
    // A named version is more exact than none.
    let exact = |is: &str| match version {
        None => Some(3),
        Some(version) if version == is => Some(4),
        Some(_) => None,
    };
    let (text, open) = match media.as_str() {
        "text/plain" => (exact("0.0.4"), None),
        "application/openmetrics-text" => (None, exact("1.0.0")),
        "text/*" => (Some(2), None),
        "application/*" => (None, Some(2)),
        "*/*" => (Some(1), Some(1)),
        _ => (None, None),
    };
    let wish = |exactness| Wish { quality, exactness };
    // What is accepted anyhow is given as text.
    (text.map(wish), open.map(wish))
}

/// A quality between 0 and 1; what is malformed refuses.
fn thousandths(quality: &str) -> u16 {
    match quality.parse::<f32>() {
        Ok(quality) if (0.0..=1.0).contains(&quality) => (quality * 1000.0).round() as u16,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Format::{self, OpenMetrics100 as Open, Prometheus004 as Text};

    #[test]
    fn m1_the_accept_header_decides_the_format() {
        let prometheus3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,\
            text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let prometheus2 = "application/openmetrics-text;version=1.0.0,\
            application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let protobuf_first = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
            encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1";
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8";
        for (accept, format) in [
            ("", Text),
            ("*/*", Text),
            ("text/plain", Text),
            ("text/plain;version=0.0.4", Text),
            ("application/openmetrics-text", Open),
            ("Application/OpenMetrics-Text", Open),
            ("application/openmetrics-text; version=1.0.0", Open),
            (
                "application/openmetrics-text; version=\"1.0.0\"; charset=utf-8",
                Open,
            ),
            ("application/openmetrics-text;version=0.0.1", Text),
            ("application/openmetrics-text;version=2.0.0", Text),
            ("application/openmetrics-text;q=0", Text),
            ("application/openmetrics-text;q=nonsense", Text),
            ("application/openmetrics-text, */*", Open),
            ("*/*, application/openmetrics-text", Open),
            ("application/openmetrics-text;q=0.1, */*", Text),
            ("application/openmetrics-text;q=0.5, text/plain;q=0.9", Text),
            ("application/openmetrics-text;q=0.9, text/plain;q=0.5", Open),
            (
                "application/openmetrics-text; q = 0.9 , text/plain ; q=0.5",
                Open,
            ),
            ("application/openmetrics-text,text/plain", Open),
            ("text/plain,application/openmetrics-text", Text),
            ("text/plain;q=0,*/*", Open),
            ("application/*,text/*;q=0.5", Open),
            ("application/json", Text),
            (browser, Text),
            (prometheus2, Open),
            (prometheus3, Open),
            (protobuf_first, Open),
        ] {
            assert_eq!(Format::negotiate(Some(accept)), format, "{accept}");
        }
        assert_eq!(Format::negotiate(None), Text);
    }

    #[test]
    fn the_content_type_names_the_version() {
        assert!(Text.content_type().contains("version=0.0.4"));
        assert!(Open.content_type().contains("version=1.0.0"));
    }
}
