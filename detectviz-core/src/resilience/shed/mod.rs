//! Refuses a part of the requests while the process has more to do than it can, those that matter least first.
//!
//! A service that takes more than it can serve serves nobody: everything waits until its caller has given up, and is worked
//! on nevertheless ("Handling Overload" and "Addressing Cascading Failures", *Site Reliability Engineering*, ch. 21 and 22).
//! A limit of concurrency bounds what is under way; this looks at what runs out. A task reads the CPU time of the process,
//! the memory of its control group and how late the executor is, every 100 ms. While one of them is above its threshold, the
//! share of requests that is let in is lowered until it is not.
//!
//! | signal | above its threshold when | source |
//! |---|---|---|
//! | CPU | CPU time is more than 90 % of the control group's quota, or of the CPUs without one, for about a second | go-zero's and Kratos' adaptive shedders |
//! | memory | the control group's working set is more than 95 % of its limit | Envoy's overload manager |
//! | queue delay | the *least* delay within 100 ms is more than 20 ms: a queue that stands, not a burst | CoDel (RFC 8289); Maurer, "Fail at Scale", ACM Queue 13(8); DAGOR |
//!
//! ```
//! use detectviz_core::{
//!     resilience::{priority::Priority, shed::{Readings, ShedConfig, ShedReason, Shedder}},
//!     telemetry::metrics::Registry,
//! };
//! use std::time::{Duration, Instant};
//!
//! let shedder = Shedder::new(ShedConfig::default(), &Registry::new());
//! assert!(shedder.admit(Priority::Sheddable, 0).is_ok());
//!
//! // What the task that `start` spawns would have read.
//! let mut readings = Readings::default();
//! readings.queue_delay = Some(Duration::from_millis(500));
//! shedder.update(&readings, Instant::now());
//!
//! let refused = shedder.admit(Priority::Sheddable, 0).expect_err("the executor is late");
//! assert_eq!(refused.reason(), ShedReason::QueueDelay);
//! assert!(shedder.admit(Priority::Critical, 0).is_ok());
//! ```
//!
//! # Who is refused
//! Requests are refused by chance, in the proportion that is needed:
//! [sheddable](crate::resilience::priority::Priority::Sheddable) ones first, and normal ones only when all of those do not
//! suffice; of these one in fifty is always let in, to see whether it can be served.
//! [Critical](crate::resilience::priority::Priority::Critical) ones are never refused.
//!
//! # How it comes to rest
//! The share let in falls by at most 30 % per reading, rests while the signal is near its threshold (down to 5 % below it for
//! CPU, half of it for delay), and rises by at most 10 % per reading below that; so all are let in again within four seconds
//! after the load has gone. Only when that has lasted for the cool-off is shedding over, and has to be triggered anew.
//! On account of memory the share follows a ramp, more slowly: all are let in again within eight seconds.
//!
//! # What cannot be read
//! Where there is no limit of memory, or no way to read a signal, nothing is ever shed on it, and one line of the log says so.
mod config;
mod error;
mod future;
mod layer;
mod published;
mod recorder;
mod sampler;
mod service;
mod shedder;
mod source;
mod split;
mod state;
#[cfg(test)]
mod tests;

pub use self::{
    config::{ShedConfig, ShedCpuConfig, ShedMemoryConfig, ShedQueueDelayConfig},
    error::{ShedReason, Shedding},
    future::ResponseFuture,
    layer::{AllNormal, PriorityFn, ShedLayer},
    recorder::register,
    service::Shed,
    shedder::Shedder,
    split::Chances,
    state::{Readings, ShedState, Verdict},
};
