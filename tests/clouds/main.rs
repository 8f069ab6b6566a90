//! The stores of clouds: AWS against moto's server, Google and Azure against fakes of their documented REST surface. Each
//! under the feature of its name.
#![cfg(test)]

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod aws_logins;
#[cfg(feature = "azure")]
mod azure;
#[cfg(any(feature = "aws", feature = "gcp", feature = "azure"))]
mod environment;
mod features;
#[cfg(feature = "gcp")]
mod gcp;
#[cfg(any(feature = "aws", feature = "gcp", feature = "azure"))]
mod guides;
#[cfg(any(feature = "aws", feature = "gcp", feature = "azure"))]
mod logs;
#[cfg(any(feature = "aws", feature = "gcp", feature = "azure"))]
mod memory;
#[cfg(any(feature = "aws", feature = "gcp", feature = "azure"))]
mod support;
