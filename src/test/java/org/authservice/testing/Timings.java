package org.authservice.testing;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * How long requests took that were sent for several kinds of account in turn, in rounds. Beside the
 * time on the wall it holds the time that this process computed, which other processes do not
 * stretch.
 */
public final class Timings {
  private static final double TOLERATED = 0.05;
  private static final double PLANTED = 0.25;

  private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
  private final Map<String, Map<String, double[]>> wall = new HashMap<>();
  private final Map<String, Map<String, double[]>> computed = new HashMap<>();
  private final List<String> bases;

  /**
   * No times yet.
   *
   * @param bases what the other kinds are compared with: the first of these that a request has
   */
  public Timings(List<String> bases) {
    this.bases = bases;
  }

  /** Times an exchange on the wall; what is computed meanwhile is others' too, a mail sender's. */
  public String onTheWall(String request, String kind, int round, Supplier<String> exchange) {
    long before = System.nanoTime();
    String answer = exchange.get();
    put(wall, request, kind, round, System.nanoTime() - before);
    return answer;
  }

  /** Times an exchange on the wall, and what this process computes for it. */
  public String onTheWallAndComputed(
      String request, String kind, int round, Supplier<String> exchange) {
    long before = computedNanos();
    String answer = onTheWall(request, kind, round, exchange);
    put(computed, request, kind, round, computedNanos() - before);
    return answer;
  }

  /**
   * Where a difference of {@value #PLANTED}, put in afterwards, would be found neither on the wall
   * nor in the computing time, among what is computed for.
   */
  public List<String> blind() {
    return computed.keySet().stream()
        .filter(request -> !sees(wall, request) && !sees(computed, request))
        .sorted()
        .toList();
  }

  /** Where one kind differs from the others by more than {@value #TOLERATED}. */
  public List<String> differences() {
    List<String> differences = new ArrayList<>();
    for (var times : List.of(wall, computed)) {
      times.forEach((request, kinds) -> {
        Samples base = base(kinds);
        kinds.forEach((kind, values) -> {
          var samples = new Samples(values);
          if (samples.medianDiffers(base, TOLERATED)
              || samples.quantileDiffers(base, 0.25, TOLERATED)
              || samples.quantileDiffers(base, 0.75, TOLERATED)) {
            differences.add(request + " " + kind + " " + samples.against(base));
          }
        });
      });
    }
    return differences;
  }

  /** The medians, a line for each kind of request. */
  public String table() {
    var table = new StringBuilder();
    Stream.of(wall, computed)
        .forEach(times ->
            times.forEach((request, kinds) -> {
              table.append(times == wall ? "wall " : "computed ").append(request).append(':');
              kinds.forEach((kind, values) ->
                  table
                      .append("  ")
                      .append(kind)
                      .append(' ')
                      .append(new Samples(values).against(base(kinds))));
              table.append('\n');
            }));
    return table.toString();
  }

  private boolean sees(Map<String, Map<String, double[]>> times, String request) {
    Map<String, double[]> kinds = times.getOrDefault(request, Map.of());
    Samples base = base(kinds);
    return kinds.keySet().stream()
        .filter(kind -> !bases.contains(kind))
        .map(kind -> samples(kinds, kind).longer(PLANTED))
        .allMatch(it -> it.medianDiffers(base, TOLERATED));
  }

  private Samples base(Map<String, double[]> kinds) {
    return samples(kinds, bases.stream().filter(kinds::containsKey).findFirst().orElseThrow());
  }

  private static Samples samples(Map<String, double[]> kinds, String kind) {
    return new Samples(kinds.getOrDefault(kind, new double[0]));
  }

  private void put(
      Map<String, Map<String, double[]>> times,
      String request,
      String kind,
      int round,
      double nanos) {
    double[] before =
        times.computeIfAbsent(request, _ -> new HashMap<>()).getOrDefault(kind, new double[0]);
    double[] all = Arrays.copyOf(before, round + 1);
    all[round] = nanos;
    times.get(request).put(kind, all);
  }

  private long computedNanos() {
    return Arrays.stream(threads.getAllThreadIds())
        .map(threads::getThreadCpuTime)
        .filter(it -> it > 0)
        .sum();
  }
}
