"""Expansion of the synapse blocks of a program into lists of synapses."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from records import Conv, Dense, Format, Identity, PoolMatrix, Sparse, Structure, SynapseBlock

Ints = np.ndarray


class Synapses(NamedTuple):
    """Entries of a block in synapse memory, ordered by axon, then compartment."""

    axon: Ints
    compartment: Ints
    mantissa: Ints


def cropped(conv: Conv) -> tuple[int, int]:
    """Height and width of the input that the crop leaves; below 1 means that nothing is left."""
    top, bottom, left, right = conv.crop
    return conv.input[1] - top - bottom, conv.input[2] - left - right


def conv_output(conv: Conv) -> tuple[int, int, int]:
    """Output channels, height, width; an extent below 1 means that there is no output."""
    height, width = cropped(conv)
    top, bottom, left, right = conv.pad
    return (
        conv.out_channels,
        (height + top + bottom - conv.kernel[0]) // conv.stride[0] + 1,
        (width + left + right - conv.kernel[1]) // conv.stride[1] + 1,
    )


def extents(structure: Structure) -> tuple[int, int, int]:
    """Rows, columns and number of stored mantissas."""
    if isinstance(structure, Dense):
        return structure.rows, structure.cols, structure.rows * structure.cols
    if isinstance(structure, Sparse):
        return structure.rows, structure.cols, len(structure.col)
    if isinstance(structure, Identity):
        return structure.size, structure.size, 1
    channels, height, width = conv_output(structure)
    inputs, in_height, in_width = structure.input
    kernel = structure.kernel[0] * structure.kernel[1]
    return (
        channels * height * width,
        inputs * in_height * in_width,
        channels * (inputs // structure.groups) * kernel,
    )


def _conv_entries(conv: Conv, rows: Ints) -> tuple[Ints, Ints, Ints]:
    """Row, column and mantissa index of every synapse of the output neurons `rows`."""
    channels, out_height, out_width = conv_output(conv)
    inputs, in_height, in_width = conv.input
    per_group = inputs // conv.groups
    grid = np.ix_(rows, np.arange(per_group), np.arange(conv.kernel[0]), np.arange(conv.kernel[1]))
    row, channel, ky, kx = grid
    out_channel, place = np.divmod(row, out_height * out_width)
    oy, ox = np.divmod(place, out_width)
    source_channel = out_channel // (channels // conv.groups) * per_group + channel
    y = oy * conv.stride[0] + ky - conv.pad[0]
    x = ox * conv.stride[1] + kx - conv.pad[2]
    column = (source_channel * in_height + y + conv.crop[0]) * in_width + x + conv.crop[2]
    index = ((out_channel * per_group + channel) * conv.kernel[0] + ky) * conv.kernel[1] + kx
    height, width = cropped(conv)
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    row, column, index, inside = np.broadcast_arrays(row, column, index, inside)
    return row[inside], column[inside], index[inside]


def _entries(structure: Structure, rows: Ints) -> tuple[Ints, Ints, Ints]:
    """Row, column and mantissa index of every stored entry of `rows`."""
    if isinstance(structure, Dense):
        row, column = np.meshgrid(rows, np.arange(structure.cols), indexing="ij")
        return row.ravel(), column.ravel(), (row * structure.cols + column).ravel()
    if isinstance(structure, Identity):
        return rows, rows, np.zeros_like(rows)
    if isinstance(structure, Conv):
        return _conv_entries(structure, rows)
    start = np.asarray(structure.row_start, dtype=np.int64)
    index = np.concatenate([np.arange(start[row], start[row + 1]) for row in rows])
    row = np.repeat(rows, start[rows + 1] - start[rows])
    return row, np.asarray(structure.col, dtype=np.int64)[index], index


def expand(
    block: SynapseBlock, matrix: PoolMatrix, values: list[list[int]], zeros: bool = False
) -> Synapses:
    """Every entry of a block: the one at positions `row + j` and `col + i` joins axon `i` to
    compartment `j`.

    A dense matrix is stored with its zeros, which are no synapses; all others without, unless `zeros`.
    """
    n_rows, n_cols, _ = extents(matrix.structure)
    row_at = np.argsort(matrix.rows.neurons(n_rows))
    column_at = np.argsort(matrix.cols.neurons(n_cols))
    # Sparse rows are read from the first to the last.
    rows = np.sort(matrix.rows.neurons(n_rows)[block.row : block.row + block.compartments])
    row, column, index = _entries(matrix.structure, rows)
    row, column = row_at[row], column_at[column]
    mantissa = np.asarray(values[matrix.values], dtype=np.int64)[index]
    wanted = (column >= block.col) & (column < block.col + block.axons)
    if not zeros and not isinstance(matrix.structure, Dense):
        wanted &= mantissa != 0
    axon = block.axon + column[wanted] - block.col
    compartment = block.compartment + row[wanted] - block.row
    order = np.lexsort((compartment, axon))
    return Synapses(axon[order], compartment[order], mantissa[wanted][order])


def weights(mantissa: Ints, form: Format) -> Ints:
    """Integer weights `mantissa · 2^exponent`; a program promises that no bit is lost."""
    if form.exponent >= 0:
        return mantissa << form.exponent
    return mantissa >> -form.exponent
