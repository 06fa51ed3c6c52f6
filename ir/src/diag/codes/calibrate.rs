//! What calibration finds about its data and its budget (049x).

use super::codes;

codes! {
    NO_SAMPLES = 490, "no samples to calibrate on",
        "Calibration runs the float network on samples and fits the integers to what it sees. The range of \
        samples that was given is empty, or it ends behind the last sample of the data. Give a range that \
        the file has, such as `0..100`.";
    OTHER_INPUTS = 491, "the data lacks an input of the network",
        "The network reads an input for which the data holds nothing. Stimuli are read for the \
        interface of a network: use data that was made for this one.";
    SILENT = 492, "the network does not fire on the calibration data",
        "On the samples that were given, no neuron of the float network fires, so there is no spike that the \
        integers could be fitted to: the data-free choice is kept. Often the data is coded in another way \
        than the network expects (pixels of 0 to 1 where 0 to 255 are meant, say). Look at the data, or \
        leave calibration out.";
    FEWER_SAMPLES = 493, "fewer samples are used than were given",
        "Calibration keeps the spikes of all populations on all samples in memory, and visits them many \
        times. Where they do not fit into memory, or where the budget would be spent on a few visits, only \
        the first samples are used. What was used is recorded in the recipe. Raise the budget, or give fewer \
        samples, chosen so that every class is among them.";
    BUDGET = 494, "the budget ended before anything was calibrated",
        "The budget of work was spent on running the networks once, so no candidate was tried, and the \
        data-free choice is kept. Raise the budget, or give fewer samples.";
    NO_BETTER = 495, "calibration found nothing better than the data-free choice",
        "On the calibration data, no candidate kept the spikes of the float network better than the \
        integers that are chosen without data, so these are kept. That is no error: with many bits they are \
        often exact. Nothing has to be done.";
}
