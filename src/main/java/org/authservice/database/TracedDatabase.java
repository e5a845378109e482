package org.authservice.database;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.Scope;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A database whose statements are spans, inside of what is traced already: a poll that nobody asked
 * for is none. A span is named by what its statement does to which table; it holds no value.
 */
public final class TracedDatabase implements Database {
  private static final Pattern TABLE =
      Pattern.compile("\\b(?:FROM|INTO|UPDATE)\\s+([a-z_]+)", Pattern.CASE_INSENSITIVE);

  private static final Pattern CHANGE =
      Pattern.compile("\\b(INSERT|UPDATE|DELETE)(?:\\s+INTO|\\s+FROM)?\\s+([a-z_]+)");

  private final Database database;
  private final Tracer tracer;
  private final Map<String, String> names = new ConcurrentHashMap<>();

  /** That database, traced by that tracer. */
  public TracedDatabase(Database database, Tracer tracer) {
    this.database = database;
    this.tracer = tracer;
  }

  @Override
  public <T> T read(Statement<T> query) {
    return spanned(name(query), Context.current(), () -> database.read(query));
  }

  @Override
  public <T> T commit(Statement<T> write) {
    return spanned(name(write), Context.current(), () -> database.commit(write));
  }

  @Override
  public <T> T transaction(Function<Transaction, T> work) {
    return spanned(
        "transaction",
        Context.current(),
        () -> {
          Context inside = Context.current(); // SQLite runs the work on a thread of its own
          return database.transaction(tx -> work.apply(new TracedTransaction(tx, inside)));
        });
  }

  @Override
  public <Q, T> T transaction(
      String lock, Statement<Q> question, BiFunction<Transaction, Q, T> work) {
    return spanned(
        "transaction",
        Context.current(),
        () -> {
          Context inside = Context.current(); // the work may run on another thread
          return database.transaction(
              lock,
              question,
              (tx, answer) -> work.apply(new TracedTransaction(tx, inside), answer));
        });
  }

  @Override
  public void listen(List<Channel> channels) {
    database.listen(channels);
  }

  @Override
  public boolean reachable() {
    return database.reachable();
  }

  @Override
  public Dialect dialect() {
    return database.dialect();
  }

  @Override
  public void close() {
    database.close();
  }

  private <T> T spanned(String name, Context parent, Supplier<T> work) {
    if (!Span.fromContext(parent).isRecording()) {
      return work.get();
    }
    Span span =
        tracer
            .spanBuilder(name)
            .setParent(parent)
            .setSpanKind(SpanKind.CLIENT)
            .setAttribute("db.query.summary", name)
            .startSpan();
    boolean returned = false;
    try (Scope _ = parent.with(span).makeCurrent()) {
      T value = work.get();
      returned = true;
      return value;
    } finally {
      if (!returned) {
        span.setStatus(StatusCode.ERROR);
      }
      span.end();
    }
  }

  /** Such as {@code UPDATE sessions}. */
  private String name(Statement<?> statement) {
    return names.computeIfAbsent(
        statement.sql(),
        sql -> {
          String line = Failures.oneLine(sql);
          Matcher change = CHANGE.matcher(line);
          if (line.startsWith("WITH ") && change.find()) { // it reads too, but this is what matters
            return change.group(1) + " " + change.group(2);
          }
          Matcher table = TABLE.matcher(line);
          String verb = line.substring(0, Math.max(0, line.indexOf(' ')));
          return table.find() ? verb + " " + table.group(1) : verb;
        });
  }

  /** Its statements are spans under the transaction's. */
  private final class TracedTransaction implements Transaction {
    private final Transaction transaction;
    private final Context context;

    private TracedTransaction(Transaction transaction, Context context) {
      this.transaction = transaction;
      this.context = context;
    }

    @Override
    public <T> T run(Statement<T> statement) {
      return spanned(name(statement), context, () -> transaction.run(statement));
    }

    @Override
    public void send(Statement<Integer> statement) {
      transaction.send(statement); // with others, so it is no span of its own
    }

    @Override
    public void lock(String name) {
      transaction.lock(name);
    }

    @Override
    public <T> T runLocked(String name, Statement<T> statement) {
      return spanned(name(statement), context, () -> transaction.runLocked(name, statement));
    }

    @Override
    public void announce(String channel, String text) {
      transaction.announce(channel, text);
    }

    @Override
    public void afterCommit(Runnable action) {
      transaction.afterCommit(action);
    }
  }
}
