//! One table: what each thing on the path of a request costs, with each peer beside ours in the same run.
//!
//! `cargo bench -p detectviz-benches --bench table [-- WORD]`; with a word, only the rows that have it in their name. Absolute
//! figures move with the machine; the ratios are what counts. Each figure is the median of interleaved rounds of CPU time of
//! the thread; allocations are counted.
mod harness;
mod server;

use harness::Table;

fn main() {
    let word = std::env::args().skip(1).find(|a| !a.starts_with("--"));
    let mut table = Table::new(word);
    server::rows(&mut table);
    table.end();
}
