"""PyTorch, and what is built on it: SpikingJelly and snnTorch."""

import torch
import torch.nn.functional as F

import loads

torch.set_num_threads(1)
torch.set_grad_enabled(False)

THRESHOLD = torch.tensor(loads.THRESHOLD, dtype=torch.float32)

# For those that fire at the threshold, too: the next f32.
ABOVE = float(torch.nextafter(THRESHOLD, torch.tensor(2.0)))


# Neurons. `scan` takes the input of all steps, `[steps, ...]`, and gives all spikes; `step` takes that of one.


class Torch:
    """Plain operations, in place."""

    def __init__(self, truncated):
        self.truncated = truncated

    def start(self, like):
        self.v = torch.zeros_like(like)

    def step(self, x):
        if self.truncated:
            self.v.mul_(loads.DECAY / loads.UNIT).trunc_().mul_(loads.UNIT)
        else:
            # In two operations: `add` with a factor rounds once, where the workload's definition rounds twice.
            self.v.mul_(loads.DECAY)
        self.v.add_(x)
        fires = self.v > loads.THRESHOLD
        self.v.masked_fill_(fires, 0)
        return fires

    def scan(self, inputs):
        self.start(inputs[0])
        fires = torch.empty(inputs.shape, dtype=torch.bool)
        for x, out in zip(inputs, fires):
            self.v.mul_(loads.DECAY).add_(x)
            torch.gt(self.v, loads.THRESHOLD, out=out)
            self.v.masked_fill_(out, 0)
        return fires


class Compiled(Torch):
    """All steps of a layer as one function, compiled."""

    def __init__(self, truncated):
        super().__init__(truncated)
        self.scan = torch.compile(scan_all, dynamic=False)


def scan_all(inputs):
    v = torch.zeros_like(inputs[0])
    fires = []
    for x in inputs.unbind(0):
        v = x + loads.DECAY * v
        fire = v > loads.THRESHOLD
        v = torch.where(fire, 0.0, v)
        fires.append(fire)
    return torch.stack(fires)


class SpikingJelly:
    """`LIFNode`, many steps at once where all inputs are known."""

    def __init__(self, truncated):
        from spikingjelly.activation_based import functional, neuron

        class Truncated(neuron.LIFNode):
            def single_step_functional_forward(self, inputs, states, **kwargs):
                v = (states[0] * (loads.DECAY / loads.UNIT)).trunc() * loads.UNIT + inputs[0]
                fires = self.surrogate_function(v - self.v_threshold)
                return (fires,), (self.apply_hard_reset(v, fires, self.v_reset), *states[1:])

        node = Truncated if truncated else neuron.LIFNode
        options = {"tau": 16.0, "decay_input": False, "v_threshold": ABOVE, "v_reset": 0.0}
        self.one = node(**options, step_mode="s").eval()
        self.many = node(**options, step_mode="m").eval()
        self.reset = functional.reset_net

    def start(self, like):
        self.reset(self.one)

    def step(self, x):
        return self.one(x)

    def scan(self, inputs):
        self.reset(self.many)
        return self.many(inputs)


class SnnTorch:
    """`Leaky`, step by step: it has no other way."""

    def __init__(self, truncated):
        import snntorch

        class Truncated(snntorch.Leaky):
            def _base_state_function(self, x):
                return (self.mem * (loads.DECAY / loads.UNIT)).trunc() * loads.UNIT + x

        leaky = Truncated if truncated else snntorch.Leaky
        # Its comparison is of the difference with 0, whose sign is exact.
        self.leaky = leaky(loads.DECAY, threshold=loads.THRESHOLD, reset_mechanism="zero", reset_delay=False).eval()

    def start(self, like):
        self.mem = torch.zeros_like(like)

    def step(self, x):
        fires, self.mem = self.leaky(x, self.mem)
        return fires

    def scan(self, inputs):
        self.start(inputs[0])
        return torch.stack([self.step(x) for x in inputs])


NEURONS = {"pytorch": Torch, "spikingjelly": SpikingJelly, "snntorch": SnnTorch}


# Networks. `layers`: each layer over all steps before the next; `steps`: each step through all layers.


class FeedForward:
    def __init__(self, load, make, form):
        samples = torch.from_numpy(load.input).float()
        # Steps first.
        self.input = samples.transpose(0, 1).contiguous()
        shapes = load.convolutions()
        if shapes:
            self.input = self.input.reshape(*self.input.shape[:2], *shapes[0])
        self.weights = [torch.from_numpy(weight) for weight in load.weights]
        self.biases = [None if bias is None else torch.from_numpy(bias) for bias in load.biases]
        self.neurons = [make() for _ in self.weights]
        self.form = form

    def sums(self, index, x):
        """What layer `index` adds up of spikes `[samples, ...]`."""
        weight, bias = self.weights[index], self.biases[index]
        if weight.dim() == 2:
            return F.linear(x.flatten(1), weight, bias)
        if index > 0:
            x = F.avg_pool2d(x, 2)
        return F.conv2d(x, weight, bias, padding=1)

    def run(self):
        return self.by_layers() if self.form != "steps" else self.by_steps()

    def by_layers(self):
        x, total = self.input, 0
        steps, samples = x.shape[:2]
        for index, neurons in enumerate(self.neurons):
            sums = self.sums(index, x.flatten(0, 1))
            fires = neurons.scan(sums.unflatten(0, (steps, samples)))
            total += count(fires)
            x = fires.float()
        return total

    def by_steps(self):
        totals = 0
        for t, x in enumerate(self.input):
            for index, neurons in enumerate(self.neurons):
                sums = self.sums(index, x)
                if t == 0:
                    neurons.start(sums)
                fires = neurons.step(sums)
                totals += count(fires)
                x = fires.float()
        return totals


class Recurrent:
    """`csr`: the whole sparse matrix times the spikes; `gather`: the rows of those that spike, added up; `dense`."""

    def __init__(self, load, make, form):
        self.load, self.neurons = load, make()
        self.bias = torch.from_numpy(load.bias)
        self.start = torch.from_numpy(load.start)
        self.length = self.start.diff()
        self.target = torch.from_numpy(load.target).long()
        self.weight = torch.from_numpy(load.weight)
        self.arrive = getattr(self, form)
        if form in ("csr", "dense"):
            index = torch.stack([self.target, torch.from_numpy(load.sources()).long()])
            matrix = torch.sparse_coo_tensor(index, self.weight, (load.neurons, load.neurons)).coalesce()
            self.matrix = matrix.to_sparse_csr() if form == "csr" else matrix.to_dense()
        if form == "padded":
            # Rows of one length; what is filled up adds 0 to a sum that nobody reads.
            width = int(self.length.max())
            place = torch.arange(width).expand(load.neurons, width)
            inside = place < self.length[:, None]
            self.targets = torch.full(place.shape, load.neurons)
            self.weights = torch.zeros(place.shape)
            self.targets[inside], self.weights[inside] = self.target, self.weight

    def csr(self, fires):
        return torch.mv(self.matrix, fires.float())

    dense = csr

    def gather(self, fires):
        active = fires.nonzero().squeeze(1)
        length = self.length[active]
        first = self.start[active] - length.cumsum(0) + length
        synapses = torch.arange(int(length.sum())) + first.repeat_interleave(length)
        return torch.zeros(len(self.bias)).index_add_(0, self.target[synapses], self.weight[synapses])

    def padded(self, fires):
        active = fires.nonzero().squeeze(1)
        targets, weights = self.targets.index_select(0, active), self.weights.index_select(0, active)
        return torch.zeros(len(self.bias) + 1).index_add_(0, targets.view(-1), weights.view(-1))[:-1]

    def run(self):
        self.neurons.start(self.bias)
        fires, total = None, 0
        for _ in range(self.load.steps):
            x = self.bias if fires is None else self.arrive(fires).add_(self.bias)
            fires = self.neurons.step(x)
            total += count(fires)
        return total


def count(fires):
    return int(torch.count_nonzero(fires))


def prepare(peer, load, form, truncated):
    """What runs `load` once and counts its spikes."""
    make = Compiled if form == "compiled" else NEURONS[peer]
    network = (Recurrent if isinstance(load, loads.Recurrent) else FeedForward)(load, lambda: make(truncated), form)
    return network.run
