"""What a handler takes from path, query and body: Litestar's own marks, told apart by what they are.

Litestar's marks hash all of their fields, deep, whenever an annotation is written: an eighth of a second of every
start over all handlers.
"""

from typing import Annotated, TypeAlias, TypeVar

from litestar.enums import RequestEncodingType
from litestar.params import BodyKwarg, PathParameter, QueryParameter

T = TypeVar("T")


class _FromPath(PathParameter):
    __hash__ = object.__hash__


class _FromQuery(QueryParameter):
    __hash__ = object.__hash__


class _Body(BodyKwarg):
    __hash__ = object.__hash__


FromPath: TypeAlias = Annotated[T, _FromPath()]
FromQuery: TypeAlias = Annotated[T, _FromQuery()]
JSONBody: TypeAlias = Annotated[T, _Body(media_type=RequestEncodingType.JSON)]
MultipartBody: TypeAlias = Annotated[T, _Body(media_type=RequestEncodingType.MULTI_PART)]
URLEncodedBody: TypeAlias = Annotated[T, _Body(media_type=RequestEncodingType.URL_ENCODED)]
