"""What was measured, and the table of it."""

import os
import pathlib
import statistics


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mib(pid):
    """Of the memory resident since the process began."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM")


def rss_mib(pid):
    """Of the memory resident now."""
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


class Meter:
    """CPU seconds that processes, {name: process id}, take from now on."""

    def __init__(self, processes):
        self._processes = processes
        self._start = {name: cpu_seconds(pid) for name, pid in processes.items()}

    def cpu(self):
        return {name: cpu_seconds(pid) - self._start[name]
                for name, pid in self._processes.items()}


class Figures:
    """Of each (shape, way): seconds, and CPU seconds by process, of each time it was taken."""

    PROCESSES = ("penstock", "source", "ClickHouse")

    def __init__(self):
        self._seconds, self._cpu, self._peak = {}, {}, {}

    def note(self, shape, way, seconds, cpu=None, peak=None):
        key = shape.name, way
        self._seconds.setdefault(key, []).append(seconds)
        for process, figure in (cpu or {}).items():
            self._cpu.setdefault((*key, process), []).append(figure)
        if peak:
            self._peak[key] = max(peak, self._peak.get(key, 0))
        print(f"  {shape.name}, {way}: {seconds:.2f} s", flush=True)

    def seconds(self, shape, way):
        return statistics.median(self._seconds[shape.name, way])

    def fastest(self, shape, ways):
        return min(self.seconds(shape, way) for way in ways if (shape.name, way) in self._seconds)

    def peak(self):
        return max(self._peak.values())

    def lines(self, shape):
        """The table of one shape."""
        yield (f"{f'{shape.name}, {shape.rows_in_all():,} rows':28}{'seconds':>9}{'rows/s':>12}"
               + "".join(f"{name:>12}" for name in self.PROCESSES) + f"{'peak MiB':>10}")
        for name, way in self._seconds:
            if name != shape.name:
                continue
            seconds = self.seconds(shape, way)
            cpu = "".join(self._cpu_cell(name, way, process) for process in self.PROCESSES)
            peak = self._peak.get((name, way))
            yield (f"  {way:26}{seconds:9.2f}{shape.rows_in_all() / seconds:12,.0f}{cpu}"
                   f"{f'{peak:.0f}' if peak else '':>10}")

    def _cpu_cell(self, *key):
        figures = self._cpu.get(key)
        return f"{statistics.median(figures):12.2f}" if figures else " " * 12


class StreamFigures:
    """Of catching up, by (server, backlog); of latency and idle pipes, by server."""

    LATENCY_GATES = (("median ms", 150), ("p99 ms", 500),
                     ("first row of an idle pipe, median ms", 200), ("idle CPU %", 1))
    IDLE_GATES = (("MiB", 300),)

    def __init__(self):
        self._catch_up, self._native, self._latency, self._idle = {}, {}, {}, {}

    def note(self, server, backlog, taken):
        self._catch_up.setdefault((server, backlog), []).append(taken)
        print(f"  {server}, {backlog.name}: {taken[0]:.2f} s", flush=True)

    def note_native(self, server, seconds):
        self._native.setdefault(server, []).append(seconds)
        print(f"  {server}, Native insert: {seconds:.2f} s", flush=True)

    def note_latency(self, server, figures):
        self._latency[server] = figures

    def note_idle(self, server, figures):
        self._idle[server] = figures

    def lines(self):
        processes = Figures.PROCESSES
        yield (f"{'catching up':28}{'seconds':>9}{'rows/s':>12}"
               + "".join(f"{name:>12}" for name in processes) + f"{'peak MiB':>10}")
        for (server, backlog), taken in self._catch_up.items():
            seconds = statistics.median(one[0] for one in taken)
            cpu = "".join(f"{statistics.median(one[1][name] for one in taken):12.2f}"
                          for name in processes)
            yield (f"  {server + ', ' + backlog.name:26}{seconds:9.2f}"
                   f"{backlog.rows / seconds:12,.0f}{cpu}{max(one[2] for one in taken):10.0f}")
        for server, seconds in self._native.items():
            yield f"  {server + ', Native insert':26}{statistics.median(seconds):9.2f}"
        for title, by_server in (("latency", self._latency), ("idle pipes", self._idle)):
            for server, figures in by_server.items():
                cells = ", ".join(f"{what} {figure:.1f}" for what, figure in figures.items())
                yield f"{server}, {title}: {cells}"

    def gates(self, native_rows):
        """(name, figure, limit) of each; ratios are of the time a row takes."""
        for (server, backlog), taken in self._catch_up.items():
            row = statistics.median(one[0] for one in taken) / backlog.rows
            native_row = statistics.median(self._native[server]) / native_rows
            yield f"{server}: {backlog.name} / Native insert", row / native_row, backlog.ratio_max
        for by_server, limits in ((self._latency, self.LATENCY_GATES),
                                  (self._idle, self.IDLE_GATES)):
            for server, figures in by_server.items():
                for what, limit in limits:
                    yield f"{server}: {what}", figures[what], limit
