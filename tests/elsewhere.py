"""A second device that is only pretended: what would mix two devices on a machine with one fails without one.

Tensors that are said to be on `cuda` lie in main memory. Which they are is known by their storage; every operation is
looked at, and one that gets tensors of both devices raises as CUDA would.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

HERE, THERE = torch.device("cpu"), torch.device("cuda")
CROSSING = {"aten::copy_", "aten::_to_copy", "aten::_local_scalar_dense"}
"""Operations that take tensors of two devices."""
INDEXING = {"aten::index", "aten::index_put", "aten::index_put_", "aten::_index_put_impl_", "aten::_unsafe_index"}
"""Operations whose indices may lie in main memory."""
GATHERING = {"aten::cat", "aten::stack"}
"""Operations to which a number in main memory is a tensor like any other."""


class Elsewhere(TorchFunctionMode):
    """Answers for the devices of tensors, and moves them."""

    def __init__(self) -> None:
        super().__init__()
        # Held, so that no other storage takes the place of one in memory.
        self.there: dict[int, Any] = {}
        self.operations = Operations(self)

    def is_there(self, tensor: Tensor) -> bool:
        while torch._C._functorch.is_functorch_wrapped_tensor(tensor):
            tensor = torch._C._functorch.get_unwrapped(tensor)
        return tensor.untyped_storage()._cdata in self.there

    def put(self, made: Any) -> Any:
        """Say that new tensors are there."""
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                self.there[storage._cdata] = storage
        return made

    def moved(self, tensor: Tensor, device: torch.device) -> Tensor:
        if (device.type == THERE.type) == self.is_there(tensor):
            return tensor
        with self.operations.crossing():
            copy = tensor.clone()
        return self.put(copy) if device.type == THERE.type else copy

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        given = dict(kwargs or {})
        if func in (Tensor.cpu, Tensor.to):
            return self.sent(args[0], *(args[1:] if func is Tensor.to else (HERE,)), **given)
        if args and isinstance(args[0], Tensor) and self.is_there(args[0]):
            return self.asked(func, args, given)
        return self.done(func, args, given)

    def asked(self, func: Any, args: Any, given: dict[str, Any]) -> Any:
        """Answer for a tensor that is there."""
        if func == Tensor.device.__get__:
            return THERE
        if func == Tensor.is_cuda.__get__:
            return True
        if func is Tensor.numpy:
            if not given.get("force"):
                raise TypeError("can't convert cuda device type tensor to numpy")
            return func(*args, **given).copy()
        if func is one_hot:  # it makes its result of what torch says, and not of what is pretended
            with self.operations.crossing():
                return self.put(func(*args, **given))
        return self.done(func, args, given)

    def done(self, func: Any, args: Any, given: dict[str, Any]) -> Any:
        """Call a function, on the device that it is asked for."""
        device = given.get("device")
        if device is None:
            return func(*args, **given)
        if torch.device(device).type == THERE.type:
            return self.put(func(*args, **{**given, "device": HERE}))
        with self.operations.crossing():
            return func(*args, **given)

    def sent(self, tensor: Tensor, *where: Any, **named: Any) -> Tensor:
        """Do what `Tensor.to` does."""
        device, others, wanted = None, [], dict(named)
        for each in (*where, *([wanted.pop("device")] if "device" in wanted else [])):
            if isinstance(each, Tensor):
                device = THERE if self.is_there(each) else HERE
                others.append(each.dtype)
            elif isinstance(each, str | torch.device):
                device = torch.device(each)
            elif isinstance(each, torch.dtype):
                others.append(each)
        if device is not None and device.type == "meta":
            return tensor.to(device)
        changed = tensor.to(*others, **wanted) if others or wanted else tensor
        return changed if device is None else self.moved(changed, device)


class Operations(TorchDispatchMode):
    """Refuses tensors of two devices, and keeps what is made of tensors where these are."""

    def __init__(self, elsewhere: Elsewhere) -> None:
        super().__init__()
        self.elsewhere = elsewhere
        self.is_crossing = False

    @contextmanager
    def crossing(self) -> Iterator[None]:
        """Let what is made be here, whatever it is made of."""
        self.is_crossing = True
        try:
            yield
        finally:
            self.is_crossing = False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        there = [each for each in tensors if self.elsewhere.is_there(each)]
        if there and not self.is_crossing:
            self._check(func._schema.name, args, tensors)
        made = func(*args, **kwargs)
        if there and not self.is_crossing:
            known = {each.untyped_storage()._cdata for each in tensors}
            tree_map_only(Tensor, lambda each: each.untyped_storage()._cdata in known or self.elsewhere.put(each), made)
        return made

    def _check(self, name: str, args: Any, tensors: list[Tensor]) -> None:
        if name in CROSSING:
            return
        if name in INDEXING and self.elsewhere.is_there(args[0]):
            tensors = [args[0], *args[2:3]]
        strays = [
            list(each.shape)
            for each in tensors
            if isinstance(each, Tensor)
            and each.device.type != "meta"
            and not self.elsewhere.is_there(each)
            and (each.dim() > 0 or name in GATHERING)
        ]
        if strays:
            raise RuntimeError(f"{name}: tensors of shape {strays} are on cpu, others are on cuda")


@contextmanager
def elsewhere() -> Iterator[Elsewhere]:
    """Pretend that there is a device `cuda`."""
    pretended = Elsewhere()
    with pretended, pretended.operations:
        yield pretended
