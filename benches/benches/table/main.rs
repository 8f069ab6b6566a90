//! One table: what each thing on the path of a request costs, with each peer beside ours in the same run.
//!
//! `cargo bench -p detectviz-benches --features peers --bench table [-- WORD]`; with a word, only the rows that have it in their
//! name. See `benches/README.md` for what the columns mean.
mod breaker;
mod bulkhead;
mod client;
mod clock;
mod contestant;
mod deadline;
mod harness;
mod logs;
mod metrics;
mod pick;
mod rate_limit;
mod retry;
mod secret;
mod server;
mod services;
mod threads;
mod trace;

use harness::Table;

fn main() {
    let word = std::env::args().skip(1).find(|a| !a.starts_with("--"));
    let mut table = Table::new(word);
    server::rows(&mut table);
    client::rows(&mut table);
    metrics::rows(&mut table);
    trace::rows(&mut table);
    deadline::rows(&mut table);
    breaker::rows(&mut table);
    bulkhead::rows(&mut table);
    rate_limit::rows(&mut table);
    retry::rows(&mut table);
    pick::rows(&mut table);
    secret::rows(&mut table);
    // The last: they install a subscriber for the whole process.
    logs::rows(&mut table);
    table.end();
}
