//! finalize (RFC 8555 section 7.4). Answers 200 with the order's URL; a finalize that is repeated
//! with the same key is a poll.

use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::AcmeOrderId;
use lifecycle::acme::{CsrFacts, FinalizeCsr};
use serde::Deserialize;

use super::{Answer, id, orders};
use crate::AcmeServer;
use crate::jwk::Jwk;
use crate::problem::{Kind, Problem};
use crate::request::{ByAccount, ForOrder, InPath};

/// The first byte of every CSR in DER.
const SEQUENCE: u8 = 0x30;

#[derive(Deserialize)]
struct Finalize {
    csr: String,
}

pub async fn post(
    State(server): State<AcmeServer>,
    InPath(path): InPath<String>,
    ForOrder(request): ForOrder,
) -> Answer {
    let ByAccount { account, signed } = request;
    let number = AcmeOrderId(id(&path, "order")?);
    let wanted: Finalize = signed.read()?;
    let csr = match read_csr(&wanted.csr) {
        Ok(csr) => csr,
        Err(problem) => {
            // What others own must look the same whether the CSR is good or not.
            server.desk().order(&account, number).await?;
            return Err(problem);
        }
    };
    let thumbprint = Jwk::from_spki(&csr.public_key_der).ok().map(|key| key.thumbprint());
    let csr = FinalizeCsr { facts: csr, thumbprint };
    let mut order = server.desk().finalize(&account, number, csr, signed.address).await?;
    if order.status == domain::model::acme::AcmeOrderStatus::Processing && !order.waits {
        order = server.desk().settle(order.id).await?;
    }
    Ok(orders::answer(&server, &order, StatusCode::OK))
}

/// The CSR of a payload. The desk would also read PEM, which people paste; clients send DER.
fn read_csr(text: &str) -> Result<CsrFacts, Problem> {
    match URL_SAFE_NO_PAD.decode(text) {
        Ok(der) if der.first() == Some(&SEQUENCE) => Ok(lifecycle::acme::read_csr(&der)?),
        _ => Err(Problem::new(
            Kind::BadCsr,
            "csr must be the CSR's DER in unpadded base64url, without PEM lines.",
        )),
    }
}
