//! The runtime: joins everything that a service is made of, from the command line to the exit code.
//!
//! A [`Builder`] knows the kinds of components; `composition.yaml` says which of them there are, and `app_config.yaml` how they
//! are tuned. Reading both makes a [`Plan`], building that a [`Runtime`], and starting it a service. Each step can be taken by
//! hand, as a test does, or all at once with [`Builder::run`]. Several runtimes live side by side in one process.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use detectviz_core::{lifecycle::{Signal, Signals}, runtime::{Builder, Options}};
//!
//! let builder = Builder::new("orders", "1.2.3").composition("components: [{name: cache, kind: passive}]");
//! let plan = builder.plan(&builder.sources()).expect("the configuration is good");
//! let runtime = plan.build(Options::embedded(std::io::sink())).expect("it can be built");
//!
//! let (sender, signals) = Signals::manual();
//! sender.send(Signal::Terminate);
//! assert_eq!(runtime.run(signals).await.exit_code(), 0);
//! # }
//! ```
//!
//! # Process-wide state
//! There is none that decides behaviour. What is shared is the `tracing` subscriber, installed by the first runtime: an event
//! belongs to the runtime whose task it ran in, else to the first.
mod args;
mod config;
mod identity;
mod provided;
mod views;
mod nobody;
mod context;
mod kind;
mod source;
mod builder;
#[cfg(feature = "otlp")]
mod otel;
mod reload;
mod options;
mod plan;
mod service;
mod process;

pub use self::{
    builder::Builder,
    config::{RuntimeConfig, ServiceConfig},
    context::{BuildContext, ConfigView, ProviderContext, Shared},
    identity::Identity,
    kind::{Kind, Passive},
    options::Options,
    plan::Plan,
    provided::NotProvided,
    service::{Runtime, Started},
    views::Views,
};
