// Runs a network on the RISP simulator of the TENNLab framework and prints when each neuron fires.
//
//   raster NETWORK.json STEPS < SPIKES
//
//   raster --properties PARAMS.json
//
// The second form prints the properties that networks of these settings must have. SPIKES: lines `input step`. Output: a line `id step` per spike, by ascending id and step. Compiled by record.py, together
// with the simulator.

#include "framework.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <vector>

int main(int argc, char **argv)
{
    if (argc != 3) {
        std::fprintf(stderr, "usage: raster NETWORK.json STEPS < SPIKES, or raster --properties PARAMS.json\n");
        return 2;
    }
    const bool properties = std::strcmp(argv[1], "--properties") == 0;
    std::ifstream file(argv[properties ? 2 : 1]);
    nlohmann::json text;
    file >> text;
    if (properties) {
        auto *processor = neuro::Processor::make("risp", text);
        nlohmann::json pack;
        processor->get_network_properties().to_json(pack);
        std::printf("%s\n", pack.dump().c_str());
        delete processor;
        return 0;
    }
    neuro::Network network;
    network.from_json(text);
    auto associated = network.get_data("proc_params");
    auto *processor = neuro::Processor::make("risp", associated);
    processor->load_network(&network);
    network.make_sorted_node_vector();
    for (auto *node : network.sorted_node_vector) {
        processor->track_neuron_events(node->id);
    }
    int input, step;
    while (std::scanf("%d %d", &input, &step) == 2) {
        processor->apply_spike(neuro::Spike(input, step, 1.0));
    }
    processor->run(std::atoi(argv[2]));
    auto fired = processor->neuron_vectors();
    for (std::size_t n = 0; n < fired.size(); ++n) {
        for (double when : fired[n]) {
            std::printf("%u %d\n", network.sorted_node_vector[n]->id, static_cast<int>(when));
        }
    }
    delete processor;
    return 0;
}
