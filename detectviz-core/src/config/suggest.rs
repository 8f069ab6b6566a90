//! The nearest known name, for whoever mistyped one.

/// What to write instead of the unknown `name`.
pub(crate) fn remedy<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    if let Some(near) = nearest(name, known.iter().copied()) {
        return format!("did you mean `{near}`?");
    }
    if known.is_empty() {
        return "remove it: nothing is known here".to_owned();
    }
    format!("known here: {}", list(&known))
}

/// The names in quotes; long lists end in a count.
pub(crate) fn list(names: &[&str]) -> String {
    const SHOWN: usize = 16;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`"));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

/// The one of `known` that is at most a third of its letters away from `name`; the first of equals. Case counts nothing, nor
/// does `-` for `_`. Distances are those of optimal string alignment, over the first 64 letters.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = folded(name);
    let measured = known.into_iter().filter_map(|known| {
        let candidate = folded(known);
        let bound = (wanted.len().max(candidate.len()) / 3).max(1);
        let apart = distance(&wanted, &candidate);
        (apart <= bound).then_some((apart, known))
    });
    measured
        .min_by_key(|(apart, _)| *apart)
        .map(|(_, known)| known)
}

/// Case and the choice of a dash say nothing about what was meant.
fn folded(name: &str) -> Vec<char> {
    let same = |c: char| {
        if c == '-' {
            '_'
        } else {
            c.to_ascii_lowercase()
        }
    };
    name.chars().take(64).map(same).collect()
}

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut before = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; width];
        for j in 1..width {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        for (name, known, near) in [
            ("prot", &["port", "host"][..], Some("port")),
            ("Port", &["port"], Some("port")),
            ("orders-db", &["orders_db"], Some("orders_db")),
            ("tiemout", &["timeout", "time"], Some("timeout")),
            ("x", &["port"], None),
            ("", &["port"], None),
            ("grace", &[], None),
        ] {
            assert_eq!(nearest(name, known.iter().copied()), near, "{name}");
        }
    }

    #[test]
    fn a_long_list_ends_in_a_count() {
        let names: Vec<String> = (10..40).map(|n| format!("name{n}")).collect();
        let remedy = remedy("zzz", names.iter().map(String::as_str));
        assert!(remedy.ends_with("`name25` and 14 more"), "{remedy}");
    }
}
