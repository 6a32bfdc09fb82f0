"""The argument vocabulary that tools share: one meaning, one description, one name."""

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

__all__ = ["Detail", "FiniteFloat", "Limit", "MinMemoryGb", "Query", "SortGpusBy", "Vendor", "WantedPrecision"]

Detail = Literal["concise", "detailed"]

Query = Annotated[str, Field(description="Words in a name, architecture or segment: h100, 4090, hopper, consumer")]
Vendor = Annotated[str, Field(description="nvidia, amd, google, aws, intel, huawei, apple")]
MinMemoryGb = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
WantedPrecision = Annotated[str, Field(description="Only those with this rate: bf16, fp8, nvfp4, tf32, …")]
SortGpusBy = Literal["name", "memory", "bandwidth", "peak", "price", "year"]
Limit = Annotated[int, Field(ge=1, le=200)]
