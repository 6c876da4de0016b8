//! [`Value`] on the wire of PostgreSQL.

use std::error::Error;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type};

use crate::Value;

type Fault = Box<dyn Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Int(int) => match *ty {
                Type::INT8 => out.put_i64(*int),
                Type::INT4 => out.put_i32(i32::try_from(*int)?),
                Type::INT2 => out.put_i16(i16::try_from(*int)?),
                Type::FLOAT8 => out.put_f64(*int as f64),
                Type::FLOAT4 => out.put_f32(*int as f32),
                Type::BOOL => out.put_u8(u8::from(*int != 0)),
                _ => return Err(refused(self, ty)),
            },
            Self::Real(real) => match *ty {
                Type::FLOAT8 => out.put_f64(*real),
                Type::FLOAT4 => out.put_f32(*real as f32),
                _ => return Err(refused(self, ty)),
            },
            Self::Blob(blob) => match *ty {
                Type::BYTEA => out.put_slice(blob),
                _ => return Err(refused(self, ty)),
            },
            // Any other type is written in its text form, as the boxes and geometries of a spatial index.
            Self::Text(text) => out.put_slice(text.as_bytes()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        self.to_sql(ty, out)
    }

    fn encode_format(&self, _: &Type) -> Format {
        match self {
            Self::Text(_) => Format::Text,
            _ => Format::Binary,
        }
    }
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Int(i16::from_sql(ty, raw)?.into()),
            Type::BOOL => Self::Int(bool::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Self::Real(f32::from_sql(ty, raw)?.into()),
            Type::BYTEA => Self::Blob(raw.to_vec()),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN => {
                Self::Text(std::str::from_utf8(raw)?.to_owned())
            }
            _ => return Err(format!("a column of type {ty} needs a CAST in the statement").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Fault> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn refused(value: &Value, ty: &Type) -> Fault {
    format!("{} for a parameter of type {ty}", value.kind()).into()
}
