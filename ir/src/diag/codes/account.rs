//! What a measurement of a quantized network finds (048x).
//!
//! All are warnings about spikes, so they need samples to run. Of a population only the gravest one
//! is reported: silenced, then saturated, then its rate, then its distance.

use super::codes;

codes! {
    SILENCED = 480, "quantization silences a population",
        "On the samples that were run, a population fires in the float network and never in integers. \
         Whatever reads it is blind from then on. Example: its weights are far below its \
         threshold, so most of them rounded to zero and no membrane reaches the threshold any more. \
         The finding names the projection that costs most. What helps: more bits for its weights, \
         calibration on samples, a scale for each neuron, excitatory and inhibitory weights in groups of \
         their own. Reported whenever the float network fires at all and the integers do not.";
    SATURATED = 481, "quantization saturates a population",
        "On the samples that were run, at least a tenth of the neurons of a population fire in (almost) \
         every step in integers and not in the float network: at 95 % or more of the steps that their \
         refractory time leaves, where the float network fires in at most half of them. Such neurons \
         carry no information. Example: a small threshold, or a bias next to large weights, rounds \
         so far that the bias alone reaches the threshold. What helps: a scale for each neuron, \
         calibration on samples, more bits for the weights.";
    RATE = 482, "quantization changes the rate of a population by more than half",
        "On the samples that were run, a population fires less than half or more than one and a half times \
         as often in integers as in the float network. Rates are all that a readout by spike counts \
         sees, and errors of rates add up from layer to layer. Example: a leak that rounds to \
         zero lets membranes rise that should decay. What helps: more bits, calibration on samples. \
         Reported if one of both sides has at least 10 spikes.";
    DISTANCE = 483, "more than half of a population's spikes differ",
        "The spike distance of a population is above one half: of all spikes of both networks, more than \
         half are fired by one of them alone (same sample, neuron and step). The distance is 0 where \
         both fire alike and 1 where no spike is common. Small differences of time count in full, so a \
         population far behind the input of a recurrent network may differ and still code the same; look \
         at rates and accuracy too. What helps: more bits for the projections that cost most, calibration \
         on samples. Reported if one of both sides has at least 10 spikes.";
    ACCURACY = 484, "quantization costs more than five points of accuracy",
        "The samples have labels, and the integers predict fewer of them than the float network: by more \
         than 5 points of percent and by at least two samples. The notes say where the spikes part first \
         and which projections cost most. What helps: calibration on samples, which protects accuracy \
         where there are labels, or more bits.";
}
