//! The certificate (RFC 8555 section 7.4.2): the leaf first, then what leads to the root. The
//! alternate chain holds the root as well, for clients that configure it.

use axum::extract::State;
use lifecycle::acme::Depth;

use super::{Answer, id};
use crate::AcmeServer;
use crate::problem::Problem;
use crate::reply::Reply;
use crate::request::{Fetch, InPath};

const TYPE: &str = "application/pem-certificate-chain";

pub async fn post(
    State(server): State<AcmeServer>,
    InPath(path): InPath<String>,
    Fetch { account }: Fetch,
) -> Answer {
    let order = domain::AcmeOrderId(id(&path, "certificate")?);
    let chain = server.desk().certificate(&account, order, Depth::Chain).await?;
    Ok(Reply::text(TYPE, chain).link("alternate", &server.urls().certificate(order, 1)))
}

pub async fn post_alternate(
    State(server): State<AcmeServer>,
    InPath((path, alternate)): InPath<(String, String)>,
    Fetch { account }: Fetch,
) -> Answer {
    let order = domain::AcmeOrderId(id(&path, "certificate")?);
    if alternate != "1" {
        return Err(Problem::not_found("certificate"));
    }
    let chain = server.desk().certificate(&account, order, Depth::ChainAndRoot).await?;
    Ok(Reply::text(TYPE, chain).link("alternate", &server.urls().certificate(order, 0)))
}
