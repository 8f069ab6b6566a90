//! The table of orders, in SQLite through sqlx.
use detectviz_core::{
    config::{Checker, DurationText, Section},
    error::BoxError,
    health::Check,
    task::Component,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use std::{str::FromStr, time::Duration};

/// Settings of the database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DbConfig {
    /// `sqlite::memory:` or `sqlite:<path>`.
    pub url: String,
    /// How long a request waits for the connection.
    #[serde(with = "detectviz_core::config::duration")]
    #[schemars(with = "DurationText")]
    pub acquire_timeout: Duration,
}

/// The database of one service.
///
/// # Clone
/// Clones share the pool.
#[derive(Clone, Debug)]
pub struct Db {
    pool: SqlitePool,
}

/// One order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Order {
    /// Counts from 1.
    pub id: i64,
    /// What was ordered.
    pub item: String,
    /// How many.
    pub quantity: i64,
}

/// What a caller sends to order something.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// What to order.
    pub item: String,
    /// How many.
    pub quantity: u32,
}

// === impl DbConfig ===

impl Default for DbConfig {
    fn default() -> Self {
        Self {
            url: "sqlite::memory:".to_owned(),
            acquire_timeout: Duration::from_secs(2),
        }
    }
}

impl Section for DbConfig {
    fn validate(&self, check: &mut Checker<'_>) {
        if SqliteConnectOptions::from_str(&self.url).is_err() {
            check.problem(
                "url",
                "not a SQLite URL",
                "write `sqlite::memory:` or `sqlite:<path>`",
            );
        }
    }
}

// === impl Db ===

impl Db {
    /// Makes the pool without connecting.
    ///
    /// # Errors
    /// When the URL is malformed.
    pub fn new(config: &DbConfig) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::from_str(&config.url)?.create_if_missing(true);
        // An in-memory database lives and dies with its one connection.
        let pool = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(config.acquire_timeout)
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// Stores an order.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn insert(&self, order: &NewOrder) -> Result<Order, sqlx::Error> {
        sqlx::query_as(
            "INSERT INTO orders (item, quantity) VALUES (?, ?) RETURNING id, item, quantity",
        )
        .bind(&order.item)
        .bind(order.quantity)
        .fetch_one(&self.pool)
        .await
    }

    /// The order with this id.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find(&self, id: i64) -> Result<Option<Order>, sqlx::Error> {
        sqlx::query_as("SELECT id, item, quantity FROM orders WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
    }

    /// The newest orders, at most a hundred.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn newest(&self) -> Result<Vec<Order>, sqlx::Error> {
        sqlx::query_as("SELECT id, item, quantity FROM orders ORDER BY id DESC LIMIT 100")
            .fetch_all(&self.pool)
            .await
    }
}

#[async_trait::async_trait]
impl Component for Db {
    async fn start(&self) -> Result<(), BoxError> {
        sqlx::query(
            "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, item TEXT NOT NULL, quantity INTEGER NOT NULL)",
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn stop(&self) -> Result<(), BoxError> {
        self.pool.close().await;
        Ok(())
    }
}

#[async_trait::async_trait]
impl Check for Db {
    async fn check(&self) -> Result<(), BoxError> {
        sqlx::query("SELECT 1").execute(&self.pool).await?;
        Ok(())
    }
}
