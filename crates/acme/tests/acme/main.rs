//! The ACME server as clients meet it: the real router on loopback, over each database.

mod accounts;
mod client;
mod detection;
mod flaws;
mod house;
mod instant;
mod orders;
mod races;
mod validation;
mod world;
