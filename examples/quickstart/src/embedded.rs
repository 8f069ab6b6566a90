//! One instance of orders as a component: a whole runtime inside another's.
use crate::shop::Shop;
use async_trait::async_trait;
use detectviz_core::{
    config::Section,
    error::BoxError,
    lifecycle::Signals,
    runtime::{Options, Started},
    task::Component,
};
use detectviz_http::kinds::BoundAddr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{io, net::SocketAddr};
use tokio::sync::Mutex;

/// The ports of one instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Ports {
    /// The port of the service; 0 takes a free one.
    port: u16,
    /// The admin port; 0 takes a free one.
    admin_port: u16,
}

/// One instance of orders.
pub(crate) struct Orders {
    name: String,
    ports: Ports,
    shop: Shop,
    running: Mutex<Option<(Started, SocketAddr)>>,
}

impl Section for Ports {}

impl Orders {
    pub(crate) fn new(name: &str, ports: Ports, shop: Shop) -> Self {
        Self {
            name: name.to_owned(),
            ports,
            shop,
            running: Mutex::new(None),
        }
    }
}

#[async_trait]
impl Component for Orders {
    async fn start(&self) -> Result<(), BoxError> {
        let builder = orders::builder();
        let Ports { port, admin_port } = self.ports;
        let sources = builder
            .sources()
            .set(&format!("service.instance={}", self.name))
            .set(&format!("http.port={port}"))
            .set(&format!("admin.port={admin_port}"))
            .set(&format!("secrets.file.root={}", self.shop.dir().display()))
            .set("db.url=sqlite:quickstart?mode=memory&cache=shared")
            .set("telemetry.otlp.enabled=false");
        let runtime = builder
            .plan(&sources)?
            .build(Options::embedded(io::stdout()))?;
        let (_, mut signals) = Signals::manual();
        let started = runtime.start(&mut signals).await?;
        let address = started.provided::<BoundAddr>("http")?.local_addr();
        let address = address.ok_or("the server is not bound")?;
        self.shop.tell(address, true);
        *self.running.lock().await = Some((started, address));
        Ok(())
    }

    async fn drain(&self) -> Result<(), BoxError> {
        let Some((started, address)) = self.running.lock().await.take() else {
            return Ok(());
        };
        self.shop.tell(address, false);
        let (_, mut signals) = Signals::manual();
        let outcome = started.shutdown(&mut signals).await;
        if outcome.is_clean() {
            Ok(())
        } else {
            Err(outcome.into())
        }
    }
}
