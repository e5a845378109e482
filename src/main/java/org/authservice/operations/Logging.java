package org.authservice.operations;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Appender;
import ch.qos.logback.core.encoder.EncoderBase;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeAndTimeBasedFileNamingAndTriggeringPolicy;
import ch.qos.logback.core.rolling.TimeBasedRollingPolicy;
import ch.qos.logback.core.util.Duration;
import ch.qos.logback.core.util.FileSize;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Map;
import org.authservice.settings.LogSettings;
import org.authservice.settings.LogSettings.RotatedFile;
import org.authservice.settings.StartFailure;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where log lines go: to the standard output, and to a file when one is set; as text for people or
 * as JSON for machines.
 */
public final class Logging {
  private static final Map<String, Level> QUIET =
      Map.of(
          "org.eclipse.jetty", Level.WARN,
          "org.flywaydb", Level.WARN,
          "com.zaxxer.hikari", Level.WARN);

  private Logging() {}

  /** Sets the log up. */
  public static void configure(LogSettings settings) {
    var context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    Level level = Level.toLevel(settings.level());
    var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    // DEBUG is about this service; of its libraries it would be a flood.
    root.setLevel(level.isGreaterOrEqual(Level.INFO) ? level : Level.INFO);
    context.getLogger("org.authservice").setLevel(level);
    QUIET.forEach((name, quiet) -> context.getLogger(name).setLevel(quiet));

    var console = new FileOutputStream(FileDescriptor.out); // whole lines, so without a buffer
    root.addAppender(started(new LogWriter(lines(settings), console), context));
    settings
        .file()
        .ifPresent(file -> root.addAppender(queued(rotated(file, context), settings, context)));
  }

  /** For a command, which says itself what happened. */
  public static void silence() {
    var context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.OFF);
  }

  /** Writes out what is still queued. */
  public static void flush() {
    ((LoggerContext) LoggerFactory.getILoggerFactory()).stop();
  }

  private static LogWriter.Lines lines(LogSettings settings) {
    return settings.json() ? new JsonLines() : new TextLayout();
  }

  private static <T extends Appender<ILoggingEvent>> T started(T appender, LoggerContext context) {
    appender.setContext(context);
    appender.start();
    return appender;
  }

  /** Files that follow each other are Logback's; nobody who logs waits for them either. */
  private static AsyncAppender queued(
      RollingFileAppender<ILoggingEvent> target, LogSettings settings, LoggerContext context) {
    target.setEncoder(new Lined(lines(settings)));
    var async = new AsyncAppender();
    async.setQueueSize(8192);
    async.setDiscardingThreshold(0);
    async.setMaxFlushTime(10_000);
    async.addAppender(started(target, context));
    return started(async, context);
  }

  private static RollingFileAppender<ILoggingEvent> rotated(
      RotatedFile file, LoggerContext context) {
    create(file.path());
    var appender =
        new RollingFileAppender<ILoggingEvent>() {
          @Override
          public void openFile(String name) throws IOException {
            create(Path.of(name));
            super.openFile(name);
          }
        };
    appender.setFile(file.path().toString());
    var trigger = new SizeAndTimeBasedFileNamingAndTriggeringPolicy<ILoggingEvent>();
    trigger.setMaxFileSize(new FileSize(file.megabytes() * FileSize.MB_COEFFICIENT));
    trigger.setCheckIncrement(Duration.buildBySeconds(1));
    var policy = new TimeBasedRollingPolicy<ILoggingEvent>();
    policy.setTimeBasedFileNamingAndTriggeringPolicy(trigger);
    policy.setContext(context);
    policy.setParent(appender);
    policy.setFileNamePattern(file.path() + ".%d{yyyy-MM-dd}.%i");
    policy.setMaxHistory(file.days());
    policy.setCleanHistoryOnStart(true);
    policy.start();
    appender.setRollingPolicy(policy);
    return appender;
  }

  /** Addresses are in it, so it is for its owner alone. */
  private static void create(Path file) {
    try {
      if (!Files.exists(file)) {
        Files.createFile(
            file,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      }
    } catch (IOException failure) {
      throw new StartFailure("LOG_FILE: cannot write " + file + ": " + failure, failure);
    }
    if (!Files.isWritable(file)) {
      throw new StartFailure("LOG_FILE: cannot write " + file);
    }
  }

  /** The same lines for an appender of Logback's, which asks for one at a time. */
  private static final class Lined extends EncoderBase<ILoggingEvent> {
    private static final byte[] NOTHING = {};

    private final LogWriter.Lines lines;
    private final LineBuffer buffer = new LineBuffer();

    Lined(LogWriter.Lines lines) {
      this.lines = lines;
    }

    @Override
    public byte[] headerBytes() {
      return NOTHING;
    }

    @Override
    public byte[] encode(ILoggingEvent event) {
      buffer.clear();
      lines.append(event, buffer);
      return Arrays.copyOf(buffer.bytes(), buffer.length());
    }

    @Override
    public byte[] footerBytes() {
      return NOTHING;
    }
  }
}
