//! Instructions of the whole server stack per request and of a client's per call, beside those of the handler alone.
use crate::programs::program;
use std::process::Command;

const REQUESTS: u32 = 2000;

/// A program that answers requests, and what it may add to them.
struct Subject {
    program: &'static str,
    /// The function in which it does so.
    within: &'static str,
    /// Variants with their budgets in instructions: what was measured, and about a twentieth more.
    budgets: &'static [(&'static str, u64)],
}

const SERVER: Subject = Subject {
    program: "drive-stack",
    within: "*one_request*",
    budgets: &[
        // Measured: 2,692.
        ("quiet", 2_830),
        // Measured: 4,028.
        ("logged", 4_230),
        // Measured: 6,037.
        ("sampled", 6_340),
    ],
};

const CLIENT: Subject = Subject {
    program: "drive-client",
    within: "*one_call*",
    budgets: &[
        // Measured: 3,643.
        ("whole", 4_040),
    ],
};

/// Instructions per request, as callgrind counts them within one function: neither the warm-up nor another thread counts.
fn instructions(subject: &Subject, variant: &str) -> u64 {
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={}", subject.within))
        .arg(program(subject.program))
        .args([&REQUESTS.to_string(), variant])
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
fn stack_and_client_add_no_more_instructions_than_their_budgets() {
    let mut over = Vec::new();
    for subject in [&SERVER, &CLIENT] {
        let bare = instructions(subject, "bare");
        for (name, budget) in subject.budgets {
            let (program, added) = (subject.program, instructions(subject, name) - bare);
            println!("{program} {name}: {added} instructions added to {bare}, budget {budget}");
            if added > *budget {
                over.push(format!(
                    "{program} {name} adds {added}, its budget is {budget}"
                ));
            }
        }
    }
    assert!(over.is_empty(), "{}", over.join("; "));
}
