//! The ACME server as clients meet it: the real router on loopback, over each database.

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod accounts;
#[cfg(test)]
mod addresses;
#[cfg(test)]
mod answers;
#[cfg(test)]
mod caa;
#[cfg(test)]
mod chains;
#[cfg(test)]
mod client;
#[cfg(test)]
mod compromised;
#[cfg(test)]
mod detection;
#[cfg(test)]
mod domains;
#[cfg(test)]
mod endings;
#[cfg(test)]
mod flaws;
#[cfg(test)]
mod fresh;
#[cfg(test)]
mod held;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod house;
#[cfg(test)]
mod instant;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod races;
#[cfg(test)]
mod reaching;
#[cfg(test)]
mod replaces;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod validation;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod world;
