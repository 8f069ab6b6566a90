//! The order of parts, by tables.
use crate::lifecycle::order::Order;
use proptest::prelude::*;

/// `"a: b c, b:"` is a part `a` after `b` and `c`, and a part `b`.
fn parse(text: &str) -> Vec<(String, Vec<String>)> {
    text.split(", ")
        .filter_map(|part| part.split_once(':'))
        .map(|(name, after)| {
            let after = after.split_whitespace().map(str::to_owned).collect();
            (name.to_owned(), after)
        })
        .collect()
}

fn order(parts: &[(String, Vec<String>)]) -> Result<Order, Vec<String>> {
    let parts: Vec<_> = parts
        .iter()
        .map(|(name, after)| (name.as_str(), after.as_slice()))
        .collect();
    Order::new(&parts)
}

#[test]
fn parts_start_after_what_they_name_and_end_before_it() {
    for (text, forwards, backwards) in [
        ("", "", ""),
        ("a:", "a", "a"),
        ("a:, b:, c:", "abc", "abc"),
        ("c: b, b: a, a:", "abc", "cba"),
        ("a:, b: a, c: a, d: b c", "abcd", "dbca"),
        ("a:, b: a a", "ab", "ba"),
    ] {
        let parts = parse(text);
        let order = order(&parts).unwrap();
        let names = |mut walk: crate::lifecycle::order::Walk| {
            let mut names = String::new();
            while let Some(at) = walk.next() {
                names.push_str(&parts[at].0);
                walk.done(at);
            }
            names
        };
        assert_eq!(names(order.forwards()), forwards, "{text}");
        assert_eq!(names(order.backwards(|_| true)), backwards, "{text}");
    }
}

#[test]
fn mistakes_are_all_named_at_once() {
    for (text, expected) in [
        ("a:, a:", vec!["two parts are named `a`: rename one"]),
        (
            "a: z y, b: x",
            vec![
                "`a` starts after `z`, which does not exist: add it or take it out of `after` (there are: a, b)",
                "`a` starts after `y`, which does not exist: add it or take it out of `after` (there are: a, b)",
                "`b` starts after `x`, which does not exist: add it or take it out of `after` (there are: a, b)",
            ],
        ),
        (
            "a: a",
            vec!["parts wait for each other: a starts after a: take one of them out of `after`"],
        ),
        (
            "x: a, a: b, b: c, c: a, y:",
            vec![
                "parts wait for each other: a starts after b, which starts after c, which starts after a: take one of them out of `after`",
            ],
        ),
    ] {
        assert_eq!(order(&parse(text)).unwrap_err(), expected, "{text}");
    }
}

#[test]
fn what_never_started_holds_nobody_back_on_the_way_down() {
    // `d` waits for `b`, which did not start: neither is called, and `a` waits for `c` only.
    let parts = parse("a:, b: a, c: a, d: b");
    let mut walk = order(&parts).unwrap().backwards(|at| at == 0 || at == 2);
    assert_eq!(walk.next(), Some(2));
    assert_eq!(walk.next(), None);
    walk.done(2);
    assert_eq!(walk.next(), Some(0));
    walk.done(0);
    assert_eq!(walk.next(), None);
}

proptest! {
    #[test]
    fn every_part_is_given_out_once_and_after_what_it_names(edges in prop::collection::vec((0..12_usize, 0..12_usize), 0..40)) {
        let parts: Vec<_> = (0..12_usize)
            .map(|part| {
                let after = edges.iter().filter(|(from, to)| *from == part && to < from);
                (part.to_string(), after.map(|(_, to)| to.to_string()).collect::<Vec<_>>())
            })
            .collect();
        let order = order(&parts).unwrap();
        for reverse in [false, true] {
            let mut walk = if reverse { order.backwards(|_| true) } else { order.forwards() };
            let mut done: Vec<usize> = Vec::new();
            while let Some(at) = walk.next() {
                let before = |other: &usize| done.contains(other);
                if reverse {
                    let dependents: Vec<_> = (0..12).filter(|d| parts[*d].1.contains(&at.to_string())).collect();
                    prop_assert!(dependents.iter().all(before));
                } else {
                    prop_assert!(parts[at].1.iter().all(|name| before(&name.parse().unwrap())));
                }
                done.push(at);
                walk.done(at);
            }
            done.sort_unstable();
            prop_assert_eq!(done, (0..12).collect::<Vec<_>>());
        }
    }
}
