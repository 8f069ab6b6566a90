//! `http-client`.
use crate::{
    client::{ClientBuilder, ClientConfig},
    propagation::Propagators,
};
use detectviz_core::runtime::Kind;
use std::time::Instant;

/// Where the admin port shows the hosts of clients.
const CLIENTS: (&str, &str) = ("/clients", "hosts of clients, and what protects them");

/// The kind `http-client`: provides a [`Client`](crate::client::Client) that finds services by name, and its
/// [`ClientHandle`](crate::client::ClientHandle), whose view is `/clients` on the admin port. Live keys apply while it runs.
#[must_use]
pub fn client() -> Kind {
    let description = "An HTTP client that finds services by name.";
    Kind::new("http-client", description, |config: ClientConfig, cx| {
        let telemetry = &cx.shared().telemetry;
        let client = ClientBuilder::new(config.clone())
            .with_discovery(cx.discovery())
            .with_spans(telemetry.spans().clone())
            .with_metrics(telemetry.metrics())
            .with_logs(telemetry.logs().clone())
            .with_propagators(Propagators::new(telemetry.propagation()))
            .build(cx.tasks())?;
        cx.provide(client.clone());
        cx.provide(client.handle());
        let handle = client.handle();
        cx.show(CLIENTS, move || handle.to_json(Instant::now()));
        let running = client.clone();
        let name = cx.name().to_owned();
        cx.on_reload(config, move |config| {
            if let Err(problems) = running.reconfigure(&config) {
                tracing::error!(component = name, %problems, "the client keeps the settings that it has");
            }
        });
        Ok(client)
    })
}
