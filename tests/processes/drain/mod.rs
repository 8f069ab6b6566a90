//! The end of a process, as its clients, the kubelet and load balancers see it.
mod exit;
mod http2;
mod keep_alive;
mod probes;

use detectviz_tests::Launch;

/// `examples/conformance` with so much time to end.
fn ending_within(grace: &str, pre_stop: &str, drain: &str) -> Launch {
    Launch::conformance().sets(&[
        &format!("shutdown.grace={grace}"),
        &format!("shutdown.pre_stop={pre_stop}"),
        &format!("shutdown.drain={drain}"),
        "shutdown.hooks=100ms",
        "shutdown.stop=500ms",
        "shutdown.flush=200ms",
        "telemetry.logs.level=warn",
    ])
}
