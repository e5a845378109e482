package org.authservice.operations;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;
import org.slf4j.event.KeyValuePair;

/**
 * One readable line per event, and the stack trace under it. Messages, values and messages of
 * exceptions may quote clients, so whatever could begin a forged line or command a terminal is
 * written as an escape: line ends, other control characters, and marks that turn the direction.
 */
final class TextLayout implements LogWriter.Lines {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");

  @Override
  public void append(ILoggingEvent event, LineBuffer out) {
    out.text(lines(event));
  }

  /** The line, line end included, and those of the stack trace. */
  String lines(ILoggingEvent event) {
    var line = new StringBuilder(160);
    TIME.formatTo(SystemZone.at(event.getTimeStamp()), line);
    line.append(' ').append(event.getLevel());
    line.append(event.getLevel().levelStr.length() < 5 ? "  " : " ");
    String logger = event.getLoggerName();
    line.append(logger, logger.lastIndexOf('.') + 1, logger.length()).append(": ");
    escape(event.getFormattedMessage(), line);
    if (event.getKeyValuePairs() != null) {
      for (KeyValuePair pair : event.getKeyValuePairs()) {
        line.append(' ').append(pair.key).append("=\"");
        escape(String.valueOf(pair.value), line);
        line.append('"');
      }
    }
    line.append('\n');
    trace(event.getThrowableProxy(), "", line);
    return line.toString();
  }

  private static void trace(
      @Nullable IThrowableProxy thrown, String introduction, StringBuilder out) {
    if (thrown == null) {
      return;
    }
    out.append(introduction).append(thrown.getClassName());
    if (thrown.getMessage() != null) {
      out.append(": ");
      escape(thrown.getMessage(), out);
    }
    out.append('\n');
    if (thrown.isCyclic()) {
      return;
    }
    StackTraceElementProxy[] frames = thrown.getStackTraceElementProxyArray();
    int own = frames.length - thrown.getCommonFrames();
    for (int i = 0; i < own; i++) {
      out.append('\t').append(frames[i].getSTEAsString()).append('\n');
    }
    if (own < frames.length) {
      out.append("\t... ").append(frames.length - own).append(" common frames omitted\n");
    }
    for (IThrowableProxy suppressed : thrown.getSuppressed()) {
      trace(suppressed, "Suppressed: ", out);
    }
    trace(thrown.getCause(), "Caused by: ", out);
  }

  private static void escape(@Nullable String text, StringBuilder out) {
    if (text == null) {
      return;
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (isDangerous(c)) {
            out.append("\\u%04x".formatted((int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
  }

  private static boolean isDangerous(char c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          true;
      default -> false;
    };
  }
}
