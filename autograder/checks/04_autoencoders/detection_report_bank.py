"""Wrong and right answers to `detection_report`."""

import torch

from .choose_threshold import threshold
from .detection_report import DETECTION_REPORT, report


def shares(level, test_scores, is_anomaly):
    """A report for a threshold that was chosen somehow."""
    alarm = (test_scores > level).double()
    return float(level), alarm[~is_anomaly].mean(), alarm[is_anomaly].mean()


def best_on_the_test_set(test_scores, is_anomaly, merit):
    """The test score that maximises merit(false positive share, true positive share)."""
    alarm = (test_scores[:, None] > test_scores).double()
    return test_scores[merit(alarm[~is_anomaly].mean(0), alarm[is_anomaly].mean(0)).argmax()]


@DETECTION_REPORT.misconception(
    "Your threshold comes from the normal parts of the test set. Then the rate is right by "
    "construction, and measures nothing. Use `normal_scores`."
)
def threshold_from_the_normal_test_parts(normal_scores, test_scores, is_anomaly, rate):
    return shares(threshold(test_scores[~is_anomaly], rate), test_scores, is_anomaly)


@DETECTION_REPORT.misconception(
    "Your threshold comes from the whole test set, anomalies included. It rises with every "
    "anomaly that comes in. Use `normal_scores`."
)
def threshold_from_the_test_set(normal_scores, test_scores, is_anomaly, rate):
    return shares(threshold(test_scores, rate), test_scores, is_anomaly)


@DETECTION_REPORT.misconception(
    "You chose the threshold that separates the test set best. It has seen the anomalies that it "
    "is to be judged on."
)
def best_separation_of_the_test_set(normal_scores, test_scores, is_anomaly, rate):
    level = best_on_the_test_set(test_scores, is_anomaly, lambda false, true: true - false)
    return shares(level, test_scores, is_anomaly)


@DETECTION_REPORT.misconception(
    "You chose the threshold with the best accuracy on the test set. It has seen the anomalies "
    "that it is to be judged on."
)
def best_accuracy_on_the_test_set(normal_scores, test_scores, is_anomaly, rate):
    anomalies = is_anomaly.double().mean()
    level = best_on_the_test_set(
        test_scores, is_anomaly, lambda false, true: anomalies * true - (1 - anomalies) * false
    )
    return shares(level, test_scores, is_anomaly)


@DETECTION_REPORT.misconception(
    "Your threshold comes from the normal scores and the test scores together. The test set may "
    "not take part."
)
def threshold_from_all_scores(normal_scores, test_scores, is_anomaly, rate):
    level = threshold(torch.cat((normal_scores, test_scores)), rate)
    return shares(level, test_scores, is_anomaly)


@DETECTION_REPORT.misconception(
    "Your threshold comes from all normal scores, those of the test set included. The test set "
    "may not take part."
)
def threshold_from_all_normal_scores(normal_scores, test_scores, is_anomaly, rate):
    level = threshold(torch.cat((normal_scores, test_scores[~is_anomaly])), rate)
    return shares(level, test_scores, is_anomaly)


@DETECTION_REPORT.misconception(
    "Your threshold is the lowest score of an anomaly, so that all are detected. It has seen the "
    "anomalies that it is to be judged on."
)
def threshold_below_all_anomalies(normal_scores, test_scores, is_anomaly, rate):
    return shares(test_scores[is_anomaly].min(), test_scores, is_anomaly)


@DETECTION_REPORT.misconception(
    "You report the wanted rate as if it were measured. Count the false alarms in the test set."
)
def wanted_rate_reported(normal_scores, test_scores, is_anomaly, rate):
    level, _, detected = report(normal_scores, test_scores, is_anomaly, rate)
    return level, rate, detected


@DETECTION_REPORT.misconception(
    "You report the false alarms among `normal_scores`, from which the threshold was made. Count "
    "them in the test set."
)
def false_alarms_where_the_threshold_was_made(normal_scores, test_scores, is_anomaly, rate):
    level, _, detected = report(normal_scores, test_scores, is_anomaly, rate)
    return level, (normal_scores > level).double().mean(), detected


@DETECTION_REPORT.misconception(
    "Your share of false alarms is one of the whole test set. Divide by the number of normal test "
    "parts."
)
def false_alarms_of_all_parts(normal_scores, test_scores, is_anomaly, rate):
    level, false, detected = report(normal_scores, test_scores, is_anomaly, rate)
    return level, false * (~is_anomaly).double().mean(), detected


@DETECTION_REPORT.misconception(
    "Both of your shares are of the whole test set. Each kind of part has its own count."
)
def both_shares_of_all_parts(normal_scores, test_scores, is_anomaly, rate):
    level, false, detected = report(normal_scores, test_scores, is_anomaly, rate)
    anomalies = is_anomaly.double().mean()
    return level, false * (1 - anomalies), detected * anomalies


@DETECTION_REPORT.misconception(
    "Your third number is the precision, the share of alarms that are right. Asked for is the "
    "share of anomalies that are detected."
)
def precision_for_detection(normal_scores, test_scores, is_anomaly, rate):
    level, false, _ = report(normal_scores, test_scores, is_anomaly, rate)
    alarm = test_scores > level
    return level, false, is_anomaly[alarm].double().mean()


@DETECTION_REPORT.misconception(
    "Your second number is the share of alarms that are false. Asked for is the share of normal "
    "parts that raise one."
)
def false_discoveries(normal_scores, test_scores, is_anomaly, rate):
    level, _, detected = report(normal_scores, test_scores, is_anomaly, rate)
    alarm = test_scores > level
    return level, (~is_anomaly)[alarm].double().mean(), detected


@DETECTION_REPORT.misconception(
    "Your third number is the share of anomalies that were missed. Report those that were detected."
)
def missed_for_detected(normal_scores, test_scores, is_anomaly, rate):
    level, false, detected = report(normal_scores, test_scores, is_anomaly, rate)
    return level, false, 1 - detected


@DETECTION_REPORT.misconception("Your two shares are swapped: false alarms come before detections.")
def swapped(normal_scores, test_scores, is_anomaly, rate):
    level, false, detected = report(normal_scores, test_scores, is_anomaly, rate)
    return level, detected, false


@DETECTION_REPORT.misconception(
    "An alarm goes off with you where a score equals the threshold. It goes off above it."
)
def alarm_at_the_threshold(normal_scores, test_scores, is_anomaly, rate):
    level = threshold(normal_scores, rate)
    alarm = (test_scores >= level).double()
    return level, alarm[~is_anomaly].mean(), alarm[is_anomaly].mean()


@DETECTION_REPORT.misconception(
    "You raise the alarm below the threshold. High scores are suspicious."
)
def alarm_below_the_threshold(normal_scores, test_scores, is_anomaly, rate):
    level = threshold(normal_scores, rate)
    alarm = (test_scores < level).double()
    return level, alarm[~is_anomaly].mean(), alarm[is_anomaly].mean()


@DETECTION_REPORT.misconception("You return numbers of alarms. Divide by the number of parts.")
def counts(normal_scores, test_scores, is_anomaly, rate):
    level, false, detected = report(normal_scores, test_scores, is_anomaly, rate)
    return level, false * (~is_anomaly).sum(), detected * is_anomaly.sum()


@DETECTION_REPORT.misconception(
    "Your third number is the accuracy. With few anomalies it looks good even if none is detected."
)
def accuracy_for_detection(normal_scores, test_scores, is_anomaly, rate):
    level, false, _ = report(normal_scores, test_scores, is_anomaly, rate)
    return level, false, ((test_scores > level) == is_anomaly).double().mean()


@DETECTION_REPORT.misconception(
    "Your threshold lies between two normal scores, as `torch.quantile` puts it. Use the rule of "
    "D2: it is one of them."
)
def interpolated_threshold(normal_scores, test_scores, is_anomaly, rate):
    return shares(torch.quantile(normal_scores, 1 - rate), test_scores, is_anomaly)


@DETECTION_REPORT.misconception(
    "You rounded the allowed number of alarms to the nearest whole number, where D2 rounds down."
)
def rounded_threshold(normal_scores, test_scores, is_anomaly, rate):
    ordered = normal_scores.sort(descending=True).values
    return shares(ordered[round(rate * len(ordered))], test_scores, is_anomaly)


@DETECTION_REPORT.misconception(
    "You took the next larger normal score where the rate allows a whole number of alarms."
)
def higher_quantile(normal_scores, test_scores, is_anomaly, rate):
    level = torch.quantile(normal_scores, 1 - rate, interpolation="higher")
    return shares(level, test_scores, is_anomaly)


@DETECTION_REPORT.misconception(
    "You lift the threshold to the lowest score of an anomaly where that is higher. It has seen "
    "the anomalies that it is to be judged on."
)
def lifted_to_the_lowest_anomaly(normal_scores, test_scores, is_anomaly, rate):
    level = max(threshold(normal_scores, rate), test_scores[is_anomaly].min().item())
    return shares(level, test_scores, is_anomaly)


@DETECTION_REPORT.variant
def by_sums(normal_scores, test_scores, is_anomaly, rate):
    level = threshold(normal_scores, rate)
    alarm = test_scores > level
    false = (alarm & ~is_anomaly).sum() / (~is_anomaly).sum()
    return torch.tensor(level), false.double(), (alarm & is_anomaly).sum() / is_anomaly.sum()


@DETECTION_REPORT.variant
def by_lists(normal_scores, test_scores, is_anomaly, rate):
    level = threshold(normal_scores, rate)
    alarms = {True: [], False: []}
    for score, anomalous in zip(test_scores.tolist(), is_anomaly.tolist(), strict=True):
        alarms[anomalous].append(score > level)
    return [level, *(sum(alarms[kind]) / len(alarms[kind]) for kind in (False, True))]


@DETECTION_REPORT.variant
def by_weights(normal_scores, test_scores, is_anomaly, rate):
    level = threshold(normal_scores, rate)
    alarm, anomalous = (test_scores > level).double(), is_anomaly.double()
    false = (alarm * (1 - anomalous)).sum() / (1 - anomalous).sum()
    return level, false.item(), ((alarm * anomalous).sum() / anomalous.sum()).item()


@DETECTION_REPORT.variant
def by_numpy(normal_scores, test_scores, is_anomaly, rate):
    level, labels = threshold(normal_scores, rate), is_anomaly.numpy()
    alarm = test_scores.numpy() > level
    return level, alarm[labels == 0].mean(), alarm[labels == 1].mean()
