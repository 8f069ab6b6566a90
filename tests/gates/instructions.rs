//! Instructions of the whole server stack per request, beside those of the handler alone.
use crate::programs::program;
use detectviz_benches::subject::Variant;
use std::process::Command;

const REQUESTS: u32 = 2000;

/// What the stack may add to a request, in instructions: what was measured, and about a tenth more.
const BUDGETS: [(Variant, u64); 3] = [
    // Measured: 2,736.
    (Variant::Quiet, 3_000),
    // Measured: 4,077.
    (Variant::Logged, 4_500),
    // Measured: 6,081.
    (Variant::Sampled, 6_700),
];

/// Instructions per request, as callgrind counts them within `one_request`: neither the warm-up nor another thread counts.
fn instructions(variant: Variant) -> u64 {
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=*one_request*")
        .arg(program("drive-stack"))
        .args([&REQUESTS.to_string(), variant.name()])
        .output()
        .expect("valgrind runs: apt-get install valgrind");
    let said = String::from_utf8_lossy(&valgrind.stderr);
    let collected = said.lines().find_map(|line| {
        let (_, count) = line.split_once("Collected :")?;
        count.trim().parse::<u64>().ok()
    });
    match collected {
        Some(count) if count > 0 => count / u64::from(REQUESTS),
        _ => panic!("callgrind counted nothing: {said}"),
    }
}

#[test]
fn the_stack_adds_no_more_instructions_than_its_budget() {
    let bare = instructions(Variant::Bare);
    let mut over = Vec::new();
    for (variant, budget) in BUDGETS {
        let added = instructions(variant) - bare;
        let name = variant.name();
        println!("{name}: {added} instructions added to {bare}, budget {budget}");
        if added > budget {
            over.push(format!("{name} adds {added}, its budget is {budget}"));
        }
    }
    assert!(over.is_empty(), "{}", over.join("; "));
}
