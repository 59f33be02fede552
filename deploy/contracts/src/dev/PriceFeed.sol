// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

/// Development only: a price in the shape of Chainlink's AggregatorV3Interface, set by its owner. A
/// price set by setAnswer is always as fresh as the block that reads it, so that a mesh left
/// running keeps its rate. One set by setRound has a fixed time and grows stale.
contract PriceFeed is Ownable {
    uint8 public immutable decimals;
    uint256 public constant version = 4;
    string public description;

    uint80 private _round;
    int256 private _answer;
    uint256 private _updatedAt;

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    constructor(uint8 decimals_, string memory description_, int256 answer, address owner_)
        Ownable(owner_)
    {
        decimals = decimals_;
        description = description_;
        _set(answer, 0);
    }

    function setAnswer(int256 answer) external onlyOwner {
        _set(answer, 0);
    }

    function setRound(int256 answer, uint256 updatedAt) external onlyOwner {
        _set(answer, updatedAt);
    }

    function latestRoundData()
        external
        view
        returns (
            uint80 roundId,
            int256 answer,
            uint256 startedAt,
            uint256 updatedAt,
            uint80 answeredInRound
        )
    {
        uint256 time = _updatedAt == 0 ? block.timestamp : _updatedAt;
        return (_round, _answer, time, time, _round);
    }

    function _set(int256 answer, uint256 updatedAt) private {
        _round += 1;
        _answer = answer;
        _updatedAt = updatedAt;
        emit AnswerUpdated(answer, _round, updatedAt == 0 ? block.timestamp : updatedAt);
    }
}
